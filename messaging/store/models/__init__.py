"""The tables of the store, one module for each subject."""

from messaging.store.models.messages import WAITING, Delivery, Message, OptOut, Task
from messaging.store.models.people import Contact, Device, Subscriber
from messaging.store.models.reports import DeliveryPart, DevicePosition

__all__ = [
    "WAITING",
    "Contact",
    "Delivery",
    "DeliveryPart",
    "Device",
    "DevicePosition",
    "Message",
    "OptOut",
    "Subscriber",
    "Task",
]
