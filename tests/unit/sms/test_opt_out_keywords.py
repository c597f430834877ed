"""Which texts opt out, opt in or ask for help."""

import pytest

from messaging.sms.opt_out_keywords import (
    Keyword,
    is_answered_help,
    is_everyday_answer,
    keyword,
)


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
        *((word, Keyword.START) for word in ("yes!", "opt in")),
        *(
            (word, Keyword.STOP)
            for word in ("Stop 🙏", "austragen", "Dar de baja", "Cancelar inscrição", "Wypisz mnie")
        ),
        *((text, None) for text in ("?", "stop" * 20)),
        *((text, None) for text in ("stop it", "please stop", "STOP 12345", "", "start\nhelp")),
        *((word, Keyword.HELP) for word in ("Help!", "Hilfe", "AYUDA", "¿Ayuda?", "ヘルプ")),
        *(
            (word, Keyword.STOP)
            for word in (
                "\uff33\uff34\uff2f\uff30",
                "\uff53\uff54\uff4f\uff50\uff01",
                "stop\u200b",
                "\u200eSTOP\ufeff",
                "STOP 🛑",
                "*Stop*",
                "¡ALTO!",
            )
        ),
        *(
            (word, Keyword.STOP)
            for word in ("stop\nall", "opt\u2011out", "STOP_ALL", "Stop\u00a0all…")
        ),
        *(
            (word, Keyword.STOP)
            for word in ("arre\u0302t", "iptal", "İptal", "parar", "SAIR", "lopeta")
        ),
        *(
            (word, Keyword.START)
            for word in ("\uff33\uff34\uff21\uff32\uff34", "start 👍", "Début", "ALTA", "開始")
        ),
        *(
            (text, None)
            for text in ("Ende", "basta!", "ok", "取消", "x" * 1000, "STOP " * 100, "🛑")
        ),
    ],
)
def test_a_keyword_is_the_whole_text_in_any_case(text: str, wanted: Keyword | None) -> None:
    assert keyword(text) is wanted


def test_yes_is_also_what_people_answer() -> None:
    assert is_everyday_answer(" Yes ")
    assert is_everyday_answer("yes! 👍")
    assert not is_everyday_answer("START")
    assert is_everyday_answer("Alta!")


def test_only_the_words_that_carriers_answer_reach_no_person() -> None:
    assert is_answered_help(" help\n")
    assert not any(map(is_answered_help, ("Help!", "Hilfe", "\uff28\uff25\uff2c\uff30")))
