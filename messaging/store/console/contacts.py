"""The contacts of subscribers, as the command line lists and changes them.

Every function raises InvalidInput for wrong input and Unavailable when the store is away.
"""

from dataclasses import dataclass

from messaging.store.console.save import InvalidInput, find_subscriber, save
from messaging.store.db.connection import guard
from messaging.store.models import Contact


@dataclass(frozen=True, slots=True)
class ContactRow:
    """A contact, for tables and `--json`."""

    owner: str
    name: str
    address: str
    is_emergency: bool


@guard
def add_contact(owner: str, name: str, address: str, *, is_emergency: bool = False) -> ContactRow:
    """Let a subscriber's devices call `address`, a mailbox or an E.164 number, by `name`."""
    subscriber = find_subscriber(owner)
    return _row(
        save(Contact(owner=subscriber, name=name, address=address, is_emergency=is_emergency))
    )


@guard
def list_contacts(owner: str | None = None) -> list[ContactRow]:
    """Return all contacts, or those of one subscriber."""
    contacts = Contact.objects.select_related("owner").order_by("owner__name", "name")
    if owner is not None:
        contacts = contacts.filter(owner=find_subscriber(owner))
    return [_row(contact) for contact in contacts]


@guard
def change_contact(
    owner: str, name: str, *, address: str | None = None, is_emergency: bool | None = None
) -> ContactRow:
    """Change the fields that are not None."""
    contact = _contact(owner, name)
    contact.address = contact.address if address is None else address
    contact.is_emergency = contact.is_emergency if is_emergency is None else is_emergency
    return _row(save(contact))


@guard
def remove_contact(owner: str, name: str) -> ContactRow:
    """Delete a contact, and return it."""
    contact = _contact(owner, name)
    row = _row(contact)
    contact.delete()
    return row


def _contact(owner: str, name: str) -> Contact:
    found = Contact.objects.filter(owner=find_subscriber(owner), name=name).first()
    if found is None:
        raise InvalidInput(f"{owner!r} has no contact {name!r}")
    return found


def _row(contact: Contact) -> ContactRow:
    return ContactRow(
        owner=contact.owner.name,
        name=contact.name,
        address=contact.address,
        is_emergency=contact.is_emergency,
    )
