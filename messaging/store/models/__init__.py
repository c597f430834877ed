"""The tables of the store, one module for each subject."""

from messaging.store.models.admission import (
    BlockedAuthor,
    BurstCount,
    ContactAddress,
    Correspondent,
)
from messaging.store.models.audit import AuditEntry
from messaging.store.models.budgets import Budget, BudgetBooking, BudgetPeriod, Scope, Tariff
from messaging.store.models.cache import CacheEntry
from messaging.store.models.mailboxes import HeldNote, OwnerMailbox
from messaging.store.models.messages import (
    HELD,
    PENDING,
    WAITING,
    Delivery,
    DeliveryAttempt,
    Message,
    OptOut,
    Task,
)
from messaging.store.models.people import Contact, Device, Subscriber
from messaging.store.models.reports import DeliveryPart, DevicePosition
from messaging.store.models.retention import FetchMark, KeptChange, RemovedMessage, StoreKey

__all__ = [
    "HELD",
    "PENDING",
    "WAITING",
    "AuditEntry",
    "BlockedAuthor",
    "Budget",
    "BudgetBooking",
    "BudgetPeriod",
    "BurstCount",
    "CacheEntry",
    "Contact",
    "ContactAddress",
    "Correspondent",
    "Delivery",
    "DeliveryAttempt",
    "DeliveryPart",
    "Device",
    "DevicePosition",
    "FetchMark",
    "HeldNote",
    "KeptChange",
    "Message",
    "OptOut",
    "OwnerMailbox",
    "RemovedMessage",
    "Scope",
    "StoreKey",
    "Subscriber",
    "Tariff",
    "Task",
]
