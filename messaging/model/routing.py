"""Keys and predicates by which the pipeline routes records between its stages."""

from messaging.model.message import (
    Bounce,
    Delivery,
    Inbound,
    Network,
    OptOutChange,
    Outcome,
    Receipt,
    RecipientCheck,
)


def subscriber_key(record: Inbound) -> str:
    """Return the subscriber's side of a record: a mailbox, a number or a device."""
    match record:
        case RecipientCheck():
            return record.recipient.value
        case OptOutChange() | Bounce():
            return record.recipient.value
        case Receipt():
            return record.network_id
        case _ if record.sender.network is Network.SATELLITE:
            return record.sender.value
        case _:
            return (getattr(record, "recipient", None) or record.sender).value


def recipient_key(delivery: Delivery) -> str:
    """Return the address that a delivery goes to."""
    return delivery.message.recipient.value


def delivery_key(outcome: Outcome) -> int:
    """Return the id of the delivery that an outcome settles."""
    return outcome.delivery_id


def goes_by(account: str, delivery: Delivery) -> bool:
    """Whether the account carries the delivery."""
    return delivery.via == account


def is_urgent(delivery: Delivery) -> bool:
    """Whether the delivery overtakes the others."""
    return delivery.is_urgent


def is_delivery(record: Delivery | Outcome) -> bool:
    """Whether the record still has to be sent."""
    return isinstance(record, Delivery)


def is_outcome(record: Delivery | Outcome) -> bool:
    """Whether the record settles a delivery."""
    return isinstance(record, Outcome)
