"""The admin pages: subscribers with their devices, and the history of messages with retry and cancel.

Django imports this package when it looks for the pages of an app; each module registers its own.
"""

from messaging.store.admin import budgets, deliveries, directory, history, messages

__all__ = ["budgets", "deliveries", "directory", "history", "messages"]
