"""Quotations with the initials of the author before the sign, as The Bat! writes them."""

import pytest

from messaging.words.own_words import own_words, shorten_question
from messaging.words.spans import MarkedText

ANSWERED = "> When?\n\nAt ten.\n\n> Where?\n\nBerth 4."


@pytest.mark.parametrize(
    "attribution",
    [
        "Monday, June 3, 2024, 10:11:12 AM, you wrote:", "Montag, 3. Juni 2024, 10:11:12, schrieben Sie:",
        "Lundi 3 juin 2024, 10:11:12, vous écriviez :", "El lunes, 3 de junio de 2024, 10:11:12, escribió:",
        "Segunda-feira, 3 de junho de 2024, 10:11:12, você escreveu:", "Lunedì 3 giugno 2024, 10:11:12, scriveva:",
        "Maandag 3 juni 2024, 10:11:12, schreef u:", "Mandag den 3. juni 2024, 10:11:12, skrev du:",
        "Måndagen den 3 juni 2024, 10:11:12, skrev du:", "Maanantai 3. kesäkuuta 2024, 10:11:12, kirjoitit:",
        "Poniedziałek, 3 czerwca 2024, 10:11:12, napisałeś:", "Pondělí 3. června 2024, 10:11:12, jste napsal:",
        "Понедельник, 3 июня 2024 г., 10:11:12, Вы писали:", "Понеділок, 3 червня 2024, 10:11:12, Ви написали:",
        "3 Haziran 2024 Pazartesi, 10:11:12, yazdınız:", "2024年6月3日, 10:11:12, あなたは書きました:",
        "2024年6月3日, 10:11:12, 您写道:",
    ],
)  # fmt: skip
@pytest.mark.parametrize("initials", ["AB", "ВК", "ŻQ", "X", "ABC"])
def test_folds_quotations_with_initials(attribution: str, initials: str) -> None:
    top = f"Hi.\n\n{attribution}\n\n{initials}> When?\n{initials}> Where?\n{initials}>> Hm.\n"
    assert own_words(MarkedText(top)).text == "Hi."
    between = (
        f"Hi.\n\n{attribution}\n\n{initials}> When?\n\nAt ten.\n\n{initials}> Where?\n\nBerth 4.\n"
    )
    assert own_words(MarkedText(between)).text == f"Hi.\n\n{ANSWERED}"


def test_a_mail_that_is_no_reply_needs_the_attribution_too() -> None:
    text = "Hi.\n\nMonday, June 3, 2024, 10:11:12 AM, you wrote:\n\nAB> When?\nAB> Where?\n"
    assert own_words(MarkedText(text), is_reply=False).text == "Hi."


@pytest.mark.parametrize(
    "text",
    [
        "Type this:\nPS> dir\nPS> cd boat",
        "Type this:\nsh> ls\nsh> pwd",
        "The log:\nAB> We sail.\nCD> When?\nAB> Now.",
        "On Monday, 3 June 2024 10:11 they wrote:\nAB> We sail.\nCD> When?\nAB> Now.",
        "On Monday, 3 June 2024 10:11 they wrote:\nAB> We sail.\nAnn",
        "A>B and\nB>C",
        "MENU> Setup\nMENU> GPS",
        "x> 1\ny> 2",
    ],
)
def test_keeps_lines_that_are_no_quotation(text: str) -> None:
    assert own_words(MarkedText(text)).text == text


def test_shortens_questions_without_the_initials() -> None:
    assert shorten_question("AB> When?\nAB>> Where?\n") == "> When? Where?"
    assert shorten_question("> 4> 3\n") == "> 4> 3"
