"""The commands about money: budgets, tariffs and costs."""
