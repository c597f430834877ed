"""Which texts opt out, opt in or ask for help."""

import pytest

from messaging.sms.opt_out_keywords import Keyword, is_everyday_answer, keyword


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        *((word, Keyword.STOP) for word in ("STOP", "stopall", " Unsubscribe\n", "END", "Quit")),
        *((word, Keyword.STOP) for word in ("cancel", "REVOKE", "OptOut")),
        *((word, Keyword.START) for word in ("START", "yes", "Unstop")),
        *((word, Keyword.HELP) for word in ("help", "INFO")),
        *((text, None) for text in ("stop it", "please stop", "STOP.", "", "yes!", "start\nhelp")),
    ],
)
def test_a_keyword_is_the_whole_text_in_any_case(text: str, wanted: Keyword | None) -> None:
    assert keyword(text) is wanted


def test_yes_is_also_what_people_answer() -> None:
    assert is_everyday_answer(" Yes ")
    assert not is_everyday_answer("START")
