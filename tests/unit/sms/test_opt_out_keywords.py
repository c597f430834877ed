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
        *(
            (word, Keyword.STOP)
            for word in ("Stop.", "STOP!", '"STOP"', "STOP ALL", "Arrêt", "opt-out")
        ),
        *((word, Keyword.STOP) for word in ("ABMELDEN", "Baja.", "Стоп", "停止", "退订")),
        *(
            (word, Keyword.STOP)
            for word in ("*stop*", "ＳＴＯＰ", "Stop\u200b", "(STOP)", "Stop 🙏")
        ),
        *(
            (word, Keyword.STOP)
            for word in ("Stop SMS", "austragen", "Dar de baja", "Cancelar inscrição")
        ),
        *(
            (word, Keyword.STOP)
            for word in ("annulla iscrizione", "Uitschrijven", "AVSLUTA", "Lopeta")
        ),
        *(
            (word, Keyword.STOP)
            for word in ("Wypisz mnie", "Odhlásit", "отписаться", "iptal", "配信停止")
        ),
        *((word, Keyword.START) for word in ("yes!", "opt in", "ＳＴＡＲＴ")),
        *(
            (text, None)
            for text in (
                "stop it",
                "please stop",
                "STOP 12345",
                "",
                "start\nhelp",
                "?",
                "stop" * 20,
            )
        ),
        # No provider answers these, so a person must see them.
        *((text, None) for text in ("Help!", "Hilfe", "AYUDA")),
    ],
)
def test_a_keyword_is_the_whole_text_in_any_case(text: str, wanted: Keyword | None) -> None:
    assert keyword(text) is wanted


def test_yes_is_also_what_people_answer() -> None:
    assert is_everyday_answer(" Yes ")
    assert is_everyday_answer("yes! 👍")
    assert not is_everyday_answer("START")
