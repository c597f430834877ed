"""Signed links: valid for one purpose, one subject and one time."""

from datetime import UTC, datetime, timedelta

import pytest

from messaging.model.signed_link import sign, verify

NOW = datetime(2026, 1, 1, tzinfo=UTC)
END = NOW + timedelta(days=14)
SECRET = "a secret"


def test_a_link_is_valid_until_its_end() -> None:
    token = sign("held", "4f2a", END, SECRET)
    assert verify("held", token, NOW, SECRET) == "4f2a"
    assert verify("held", token, END - timedelta(seconds=1), SECRET) == "4f2a"
    assert verify("held", token, END, SECRET) is None


def test_a_link_of_another_purpose_or_key_is_not_valid() -> None:
    token = sign("held", "4f2a", END, SECRET)
    assert verify("reply", token, NOW, SECRET) is None
    assert verify("held", token, NOW, "another secret") is None


def test_every_changed_character_is_noticed() -> None:
    token = sign("held", "4f2a", END, SECRET)
    for place, character in enumerate(token):
        changed = "b" if character != "b" else "c"
        assert verify("held", token[:place] + changed + token[place + 1 :], NOW, SECRET) is None


@pytest.mark.parametrize("token", ["", ".", "a.1", "a.1.b", "a" * 10_000, "a.\uff11.b", "\n"])
def test_what_is_no_token_is_not_valid(token: str) -> None:
    assert verify("held", token, NOW, SECRET) is None


@pytest.mark.parametrize("subject", ["", "a.b", "a/b", "ä", "a" * 65])
def test_a_subject_has_only_characters_that_a_url_keeps(subject: str) -> None:
    with pytest.raises(ValueError, match="the subject of a link"):
        sign("held", subject, END, SECRET)
