"""What a source offers is bounded before it touches the store, and never an exception."""

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from messaging.config.env import read
from messaging.config.settings import Settings
from messaging.model.message import (
    Address,
    DeadLetter,
    Message,
    Network,
    OptOutChange,
    RecipientCheck,
)
from messaging.store.accept.refusals import Refusal
from messaging.store.accept.validate import short_reason, storable, validate
from tests.support.store import records as g

NOW = datetime(2026, 1, 1, tzinfo=UTC)
LIMITS = read(Settings, store_max_text_bytes=1024, store_max_raw_bytes=1024).store_limits
TEXTS = st.text(st.characters(codec=None), max_size=600)
ADDRESSES = st.builds(Address, st.sampled_from(Network), TEXTS)
RECORDS = st.one_of(
    st.builds(
        Message,
        id=TEXTS,
        sender=ADDRESSES,
        recipient=ADDRESSES,
        text=TEXTS,
        subject=TEXTS,
        via=TEXTS,
    ),
    st.builds(DeadLetter, id=TEXTS, sender=ADDRESSES, via=TEXTS, raw=st.binary(), reason=TEXTS),
    st.builds(RecipientCheck, recipient=ADDRESSES),
    st.builds(
        OptOutChange,
        id=TEXTS,
        sender=ADDRESSES,
        recipient=ADDRESSES,
        allowed=st.booleans(),
        via=TEXTS,
    ),
)


@given(RECORDS)
def test_whatever_is_admitted_fits_the_tables(
    record: Message | DeadLetter | RecipientCheck | OptOutChange,
) -> None:
    admitted = validate(record, LIMITS, NOW)
    if isinstance(admitted, Refusal):
        assert not isinstance(record, DeadLetter)
        return
    for name in admitted.__slots__:
        value = getattr(admitted, name)
        text = value.value if isinstance(value, Address) else value
        if isinstance(text, str) and not isinstance(admitted, OptOutChange):
            assert "\x00" not in text
            text.encode()
            assert len(text) <= (1024 if name in ("text", "subject", "reason") else 254)


@given(TEXTS)
def test_any_text_becomes_storable_and_keeps_its_length(text: str) -> None:
    kept = storable(text)
    assert len(kept) == len(text)
    kept.encode()
    assert len(short_reason(text * 3)) <= 1000


def test_a_text_of_exactly_the_limit_is_taken() -> None:
    assert not isinstance(validate(g.mail(text="x" * 1022), LIMITS, NOW), Refusal)
    assert isinstance(validate(g.mail(text="x" * 1023), LIMITS, NOW), Refusal)
