"""Phone numbers become E.164; what is none stays as it is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from messaging.sms.numbers import normalised


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        ("+15550001111", "+15550001111"),
        (" +1 (555) 000-1111 ", "+15550001111"),
        ("+49 1512 3456789", "+4915123456789"),
        ("+5215512345678", "+5215512345678"),
        ("12345", "12345"),
        ("ACME", "ACME"),
        ("whatsapp:+15550001111", "whatsapp:+15550001111"),
        ("+", "+"),
        ("+999", "+999"),
        ("+1\u0000555 000 1111", "+15550001111"),
        ("", ""),
    ],
)
def test_numbers_are_normalised(value: str, wanted: str) -> None:
    assert normalised(value) == wanted


@given(st.text() | st.text("+0123456789 -()."))
def test_any_text_has_a_stable_form_without_nul(value: str) -> None:
    once = normalised(value)
    assert "\0" not in once
    assert normalised(once) == once
