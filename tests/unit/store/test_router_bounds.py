"""What is poisoned, too large or strange harms no other record in its batch."""

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from messaging.errors import Rejected, Unavailable
from messaging.model.message import Message, message_id
from messaging.store.models import Delivery
from messaging.store.models import Message as StoredMessage
from tests.support.examples import examples
from tests.support.store import records as g
from tests.support.store.records import Gateway


def test_a_poisoned_record_does_not_take_its_batch_along(gateway: Gateway) -> None:
    # No source can make this; it stands for a bug that the store trips over.
    poisoned = g.uplink(g.email("a@example.com"), "p")
    object.__setattr__(poisoned, "text", 7)
    good, bad, other = gateway.router.process([g.mail("1"), poisoned, g.mail("2")])
    assert isinstance(good, list)
    assert isinstance(other, list)
    assert isinstance(bad, Unavailable)
    assert "7" not in bad.reason
    assert Delivery.objects.count() == 2


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (g.mail(text="x" * 1_048_577), "longer than 1048576 bytes"),
        (g.mail(text="€" * 400_000), "longer than 1048576 bytes"),
        (g.mail(to="a" * 250 + "@example.org"), "longer than 254 characters"),
        (g.mail(to="bo\x00op@example.org"), "characters that no address has"),
        (g.mail(to="bo\ud800op@example.org"), "characters that no address has"),
    ],
)
def test_what_is_too_large_or_malformed_is_refused_alone(
    gateway: Gateway, message: Message, reason: str
) -> None:
    refused, taken = gateway.router.process([message, g.mail("good")])
    assert isinstance(refused, Rejected)
    assert reason in refused.reason
    assert isinstance(taken, list)


def test_a_text_of_a_megabyte_is_kept_whole(gateway: Gateway) -> None:
    text = "%s ünï \\ ' \" 100% " * 40_000
    assert gateway.take_one(g.mail(text=text)).message.text == text
    assert StoredMessage.objects.get().text == text


@hypothesis_settings(
    max_examples=examples(40), suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(text=st.text(st.characters(codec=None), max_size=40), key=st.uuids())
def test_any_text_can_be_kept(gateway: Gateway, text: str, key: object) -> None:
    StoredMessage.objects.all().delete()
    delivery = gateway.take_one(g.mail(str(key), text=text))
    stored = StoredMessage.objects.get(id=message_id(str(key))).text
    assert stored == delivery.message.text
    assert len(stored) == len(text)
