"""Warnings and notices of servers around the words of a mail, and words of the author that look like one."""

import pytest

from messaging.words.own_words import own_words
from messaging.words.spans import MarkedText

WORDS = "Wait until noon."


def text_of(text: str, *, has_files: bool = False) -> str:
    return own_words(MarkedText(text), is_reply=False, has_files=has_files).text


@pytest.mark.parametrize(
    "banner",
    [
        "CAUTION: This is an external email. Do not click links or open attachments.",
        "This message came from outside your organization.\nBe careful with attachments.",
        "Achtung: externer Absender. Vorsicht bei Links und Anhängen!",
        "Expéditeur externe : ne cliquez pas sur les liens, prudence avec les pièces jointes.",
        "You don't often get email from a@b.example. Learn why <https://aka.ms/LearnAboutSenderIdentification>",
        "##- Veuillez entrer votre réponse au-dessus de cette ligne -##",
        "##- Skriv svaret ovanför -##\n\nAnn (Support)\n\n27 nov. 2026 10:11 CET",
        "<https://voice.b.example>",
        "## Please do not write below this line ##",
        "CAUTION: This email originated outside of Lee Ltd. Do not click links unless you know the sender.",
        "—-—-—-—\nReply above this line.\n\nAnn commented on RACE-12:",
    ],
)
def test_folds_what_a_server_puts_above(banner: str) -> None:
    assert text_of(f"{banner}\n\n{WORDS}") == WORDS


@pytest.mark.parametrize(
    "footer",
    [
        "Informationen zum Datenschutz finden Sie unter www.b.example/datenschutz",
        "Läs om hur vi behandlar personuppgifter på https://b.example/gdpr",
        "Si no desea recibir estos avisos, visite https://b.example/baja",
        "Para darse de baja visite https://b.example/baja",
        "--------\nThis message was sent using IMP, the Internet Messaging Program.",
        "Sent by Lee. Unsubscribe <https://b.example/unsub> | Privacy <https://b.example/privacy>",
        "Sent via Superhuman iOS ( https://b.example/?vip=a@b.example )",
        "Sent on November 27, 2026 10:11:00 AM CET",
        "Trimis de pe iPhone",
        "iPhone-omról küldve",
        "مرسل من الـ iPhone",
        "נשלח מה-iPhone שלי",
    ],
)
def test_folds_what_a_server_puts_below(footer: str) -> None:
    assert text_of(f"{WORDS}\n\n{footer}") == WORDS


@pytest.mark.parametrize(
    "text",
    [
        "The swell from outside is big, be careful and click the light on.\n\nAnn",
        "The external mail server is down, the links are dead.\n\nAnn",
        "I don't often get email from you, write more!\n\nAnn",
        "Das Paket von extern kommt Montag, Vorsicht, schwer.\n\nAnn",
        "Their privacy policy is at https://b.example",
        "<https://b.example/night>\n\nRead this.",
        "Wait.\n\nBeim Zoll abmelden https://b.example/zoll",
        "Wait.\n\nVoli cancellati: https://b.example/voli",
        "Wait.\n\nUm sich abzumelden, braucht der Zoll das: https://b.example/zoll",
        "## IMPORTANT ##\n\nWait until noon.",
        "The noise came from outside, be careful with the links of the chain.\n\nAnn",
        "To opt out of the race call the committee.",
        "Sent on Monday 27 at 10:11, it takes a week.",
        "Trimis cu curierul, vine marți.",
        "Za: 3\nDo: 4\nOd: 5",
    ],
)
def test_keeps_words_of_the_author(text: str) -> None:
    assert text_of(text) == text


def test_the_footer_of_a_program_beside_a_picture_is_no_message() -> None:
    assert text_of("\nSent from my iPhone\n", has_files=True) == ""
    assert text_of("Sent from my iPhone\n") == "Sent from my iPhone"
    assert text_of("> Where are you?\n\nSent from my iPhone\n", has_files=True) != ""
