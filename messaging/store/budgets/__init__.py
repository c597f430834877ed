"""Budgets: reserves units and money for deliveries, and books their costs, in the transactions of their rows."""
