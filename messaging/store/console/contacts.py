"""The contacts of subscribers and the blocked authors, as the command line lists and changes them.

Every function raises InvalidInput for wrong input and Unavailable when the store is away.
"""

from dataclasses import dataclass, fields
from datetime import datetime

from django.core.exceptions import ValidationError
from django.utils import timezone

from messaging.store.admission.terms import MayWrite
from messaging.store.console.save import InvalidInput, find_subscriber, save
from messaging.store.db.connection import guard
from messaging.store.models import BlockedAuthor, Contact, ContactAddress
from messaging.store.models.admission import parse_block
from messaging.store.models.fields import contact_address


@dataclass(frozen=True, slots=True)
class ContactRow:
    """A contact, for tables and `--json`."""

    owner: str
    name: str
    address: str
    is_emergency: bool
    may_write: str = MayWrite.ALWAYS
    write_until: datetime | None = None
    must_be_proved: bool = False
    sees_positions: bool = True
    gets_receipts: bool = True
    further_addresses: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactChange:
    """The fields of a contact to set; None leaves one as it is. A `write_until` is the date of the permission until."""

    address: str | None = None
    is_emergency: bool | None = None
    may_write: MayWrite | None = None
    write_until: datetime | None = None
    must_be_proved: bool | None = None
    sees_positions: bool | None = None
    gets_receipts: bool | None = None


@guard
def add_contact(
    owner: str,
    name: str,
    address: str,
    *,
    is_emergency: bool = False,
    change: ContactChange | None = None,
) -> ContactRow:
    """Let a subscriber's devices call `address`, a mailbox or an E.164 number, by `name`."""
    contact = Contact(
        owner=find_subscriber(owner), name=name, address=address, is_emergency=is_emergency
    )
    return _row(save(_set(contact, change or ContactChange())))


@guard
def list_contacts(owner: str | None = None) -> list[ContactRow]:
    """Return all contacts, or those of one subscriber."""
    contacts = Contact.objects.select_related("owner").prefetch_related("addresses")
    contacts = contacts.order_by("owner__name", "name")
    if owner is not None:
        contacts = contacts.filter(owner=find_subscriber(owner))
    return [_row(contact) for contact in contacts]


@guard
def change_contact(owner: str, name: str, change: ContactChange) -> ContactRow:
    """Change the fields that are not None."""
    return _row(save(_set(_contact(owner, name), change)))


@guard
def add_address(owner: str, name: str, address: str) -> ContactRow:
    """Add a further address that a contact writes from."""
    contact = _contact(owner, name)
    save(ContactAddress(contact=contact, address=address))
    return _row(contact)


@guard
def remove_address(owner: str, name: str, address: str) -> ContactRow:
    """Remove a further address of a contact."""
    contact = _contact(owner, name)
    wanted = contact_address(address) or address
    if not contact.addresses.filter(address=wanted).delete()[0]:
        raise InvalidInput(f"@{contact.name} has no further address {address!r}")
    return _row(contact)


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


def _set(contact: Contact, change: ContactChange) -> Contact:
    """Return the contact with the fields of the change that are not None."""
    for field in fields(change):
        value = getattr(change, field.name)
        if value is not None:
            setattr(contact, field.name, value)
    if change.write_until is not None:
        contact.may_write = MayWrite.UNTIL.value
    elif change.may_write is not None:
        contact.may_write, contact.write_until = change.may_write.value, None
    return contact


def _row(contact: Contact) -> ContactRow:
    return ContactRow(
        owner=contact.owner.name,
        name=contact.name,
        address=contact.address,
        is_emergency=contact.is_emergency,
        may_write=contact.may_write,
        write_until=contact.write_until,
        must_be_proved=contact.must_be_proved,
        sees_positions=contact.sees_positions,
        gets_receipts=contact.gets_receipts,
        further_addresses=tuple(one.address for one in contact.addresses.all()),
    )


@dataclass(frozen=True, slots=True)
class BlockRow:
    """A blocked author, for tables and `--json`. Without an owner it holds for all subscribers."""

    owner: str | None
    address: str


@guard
def add_block(address: str, owner: str | None = None) -> BlockRow:
    """Refuse messages of this mailbox, number or `@domain` to one subscriber, or to all."""
    if _find_block(address, owner) is not None:
        raise InvalidInput("This address is blocked already.")
    subscriber = find_subscriber(owner) if owner is not None else None
    row = BlockedAuthor(owner=subscriber, address=address, created_at=timezone.now())
    return _block_row(save(row))


@guard
def list_blocks(owner: str | None = None) -> list[BlockRow]:
    """Return all blocks, or those of one subscriber."""
    rows = BlockedAuthor.objects.select_related("owner").order_by("owner__name", "address")
    if owner is not None:
        rows = rows.filter(owner=find_subscriber(owner))
    return [_block_row(row) for row in rows]


@guard
def remove_block(address: str, owner: str | None = None) -> BlockRow:
    """Delete a block, and return it."""
    found = _find_block(address, owner)
    if found is None:
        raise InvalidInput(f"{address!r} is not blocked")
    row = _block_row(found)
    found.delete()
    return row


def _find_block(address: str, owner: str | None) -> BlockedAuthor | None:
    try:
        wanted = parse_block(address)
    except ValidationError as error:
        raise InvalidInput(" ".join(error.messages)) from None
    subscriber = find_subscriber(owner) if owner is not None else None
    return BlockedAuthor.objects.filter(owner=subscriber, address=wanted).first()


def _block_row(row: BlockedAuthor) -> BlockRow:
    return BlockRow(row.owner.name if row.owner else None, row.address)
