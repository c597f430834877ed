"""Costs: amounts of units or money, periods of budgets, and the rules of reservations. Pure."""
