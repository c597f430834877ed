"""Contacts are entered, listed and changed, and what cannot be is said in one sentence."""

from collections.abc import Callable

import pytest

from messaging.config.settings import Settings
from messaging.store.console import contacts as c
from messaging.store.console.contacts import ContactRow
from messaging.store.console.directory import add_subscriber
from messaging.store.console.save import InvalidInput


def test_a_contact_is_added_listed_changed_and_removed(settings: Settings) -> None:
    add_subscriber("boop")
    add_subscriber("ann")
    alice = c.add_contact("Boop", " Alice ", " Alice@EXAMPLE.org ", is_emergency=True)
    assert alice == ContactRow("boop", "alice", "Alice@example.org", True)
    c.add_contact("ann", "alice", "+1 (555) 123-0000")
    assert [row.address for row in c.list_contacts()] == ["+15551230000", "Alice@example.org"]
    assert c.list_contacts("boop") == [alice]
    changed = c.change_contact(
        "boop", "ALICE", c.ContactChange(address="alice@example.net", is_emergency=False)
    )
    assert changed == ContactRow("boop", "alice", "alice@example.net", False)
    assert c.remove_contact("boop", "alice") == changed
    assert [row.owner for row in c.list_contacts()] == ["ann"]


@pytest.mark.parametrize(
    ("enter", "sentence"),
    [
        (lambda: c.add_contact("nobody", "bob", "bob@example.org"), "there is no user 'nobody'"),
        (lambda: c.add_contact("boop", "ALICE", "x@example.org"), "has a contact of that name"),
        (lambda: c.add_contact("boop", "a b", "x@example.org"), "name: Letters, digits, dots"),
        (lambda: c.add_contact("boop", "bob", "5551230000"), "address: A mailbox such as"),
        (lambda: c.add_contact("boop", "bob", "bob@"), "address: A mailbox such as"),
        (
            lambda: c.change_contact("boop", "alice", c.ContactChange(address="")),
            "address: This field cannot be",
        ),
        (lambda: c.change_contact("boop", "bob", c.ContactChange()), "'boop' has no contact 'bob'"),
        (lambda: c.remove_contact("boop", "bob"), "'boop' has no contact 'bob'"),
        (lambda: c.list_contacts("nobody"), "there is no user 'nobody'"),
    ],
)
def test_what_cannot_be_entered_is_said_in_a_sentence(
    settings: Settings, enter: Callable[[], object], sentence: str
) -> None:
    add_subscriber("boop")
    before = [c.add_contact("boop", "alice", "alice@example.org")]
    with pytest.raises(InvalidInput) as caught:
        enter()
    assert sentence in str(caught.value)
    assert c.list_contacts() == before


def test_a_contact_may_be_reached_over_whatsapp_but_not_of_emergencies(settings: Settings) -> None:
    add_subscriber("boop")
    carl = c.add_contact("boop", "carl", "WhatsApp:+1 555 123 0000")
    assert carl.address == "whatsapp:+15551230000"
    with pytest.raises(InvalidInput, match="Emergencies go to mailboxes and phone numbers only"):
        c.change_contact("boop", "carl", c.ContactChange(is_emergency=True))
