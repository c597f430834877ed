"""Translates the texts that the gateway itself writes to a device. Pure.

A phrase without a translation stays in English. `{}` stands for any text.
"""

import re
from collections.abc import Mapping
from functools import cache
from typing import Final

_SEPARATOR: Final = "; "
_MAX_REASONS: Final = 4

_GERMAN: Final[Mapping[str, str]] = {
    # Calendar invitations.
    "Invitation": "Einladung",
    "Cancelled": "Abgesagt",
    "Answer": "Antwort",
    "Proposal": "Vorschlag",
    # The texts around a reason.
    "Not sent": "Nicht gesendet",
    "Not delivered": "Nicht zugestellt",
    "Not delivered (may have arrived)": "Nicht zugestellt (kam vielleicht an)",
    "Not delivered (a part arrived)": "Nicht zugestellt (ein Teil kam an)",
    "{} texts not delivered": "{} Texte nicht zugestellt",
    "{} texts not delivered (some may have arrived)": (
        "{} Texte nicht zugestellt (manche kamen vielleicht an)"
    ),
    # Why a text goes nowhere.
    "no text": "kein Text",
    "no contact to answer; begin with @name, mailbox or +number": (
        "kein Kontakt für eine Antwort; beginne mit @name, Mailadresse oder +Nummer"
    ),
    "no contact {}": "kein Kontakt {}",
    "write the number without spaces": "schreib die Nummer ohne Leerzeichen",
    "one recipient at a time": "nur ein Empfänger auf einmal",
    "{} is no mailbox": "{} ist keine Mailadresse",
    "{} is no number with + and country": "{} ist keine Nummer mit + und Land",
    "there is no subscriber here by that name or number": (
        "hier gibt es niemanden mit diesem Namen oder dieser Nummer"
    ),
    "this subscriber does not take messages now": "der Empfänger nimmt gerade nichts an",
    "this subscriber has no device that takes messages now": (
        "der Empfänger hat gerade kein Gerät, das etwas annimmt"
    ),
    "a device is reached by the mailbox or number of its owner": (
        "ein Gerät ist über die Mailadresse oder Nummer seines Besitzers erreichbar"
    ),
    "the owner of the device has no number to send SMS from": (
        "der Besitzer des Geräts hat keine Nummer für SMS"
    ),
    "the recipient asked not to get messages from this number": (
        "der Empfänger will von dieser Nummer nichts bekommen"
    ),
    "this subscriber takes no messages from others now": (
        "diese Person nimmt zur Zeit keine Nachrichten von anderen an"
    ),
    "it was held, and its budget had no room in time": (
        "sie wartete auf ihr Budget, das nicht rechtzeitig reichte"
    ),
    "this recipient takes no messages from you": "diese Person nimmt keine Nachrichten von dir an",
    "the domain of the author asks to refuse mail that does not prove that it is from there": (
        "die Domain des Absenders verlangt, Mails abzulehnen, die nicht nachweislich von dort sind"
    ),
    "the recipient is not a mail address": "der Empfänger ist keine Mailadresse",
    "the recipient is not a telephone number with + and country": (
        "der Empfänger ist keine Nummer mit + und Land"
    ),
    "mail-out is off: no relay is configured": "Mail ist hier abgeschaltet",
    "SMS-out is off: no provider is configured": "SMS ist hier abgeschaltet",
    "the network of the subscriber's device is not configured": (
        "das Netz des Geräts ist hier nicht eingerichtet"
    ),
    "no SMS to {} from here; have the number added as a contact": (
        "keine SMS nach {}; lass die Nummer als Kontakt eintragen"
    ),
    "{} messages within an hour; send again later": (
        "{} Nachrichten in einer Stunde; sende es später noch einmal"
    ),
    "{} messages within a day; send again tomorrow": (
        "{} Nachrichten an einem Tag; sende es morgen noch einmal"
    ),
    "{} SMS within a day; send again tomorrow": "{} SMS an einem Tag; sende es morgen noch einmal",
    "names and short codes take no answers": "Namen und Kurznummern nehmen keine Antworten an",
    "the SMS account of the owner's number carries no WhatsApp": "über diese Nummer geht kein WhatsApp",
    # Why a message was not delivered.
    "the attempt ended without an answer": "der Versuch blieb ohne Antwort",
    "the network gave no reason": "das Netz nannte keinen Grund",
    "no attempt was made": "es gab keinen Versuch",
    "the phone said STOP": "das Telefon sagte STOP",
    "the mail server said": "der Mailserver sagte",
    "the mail bounced": "die Mail kam zurück",
    "no reason was given": "ohne Grund",
    "there is no such mailbox": "dieses Postfach gibt es nicht",
    "there is no such mail domain": "diese Domain gibt es nicht",
    "the address is malformed": "die Adresse ist falsch geschrieben",
    "the mailbox has moved": "das Postfach ist umgezogen",
    "the domain accepts no mail": "die Domain nimmt keine Mail an",
    "the mailbox accepts no mail now": "das Postfach nimmt gerade keine Mail an",
    "the mailbox is full": "das Postfach ist voll",
    "the mail is too big for the mailbox": "die Mail ist zu groß für das Postfach",
    "the mail is too big": "die Mail ist zu groß",
    "the mail server does not answer": "der Mailserver antwortet nicht",
    "the mail could not be delivered in time": "die Mail kam nicht rechtzeitig an",
    "something is wrong with the address": "mit der Adresse stimmt etwas nicht",
    "something is wrong with the mailbox": "mit dem Postfach stimmt etwas nicht",
    "the mail system of the recipient cannot take it": (
        "das Mailsystem des Empfängers kann sie nicht annehmen"
    ),
    "the network or the mail's route failed": "das Netz oder der Weg der Mail fiel aus",
    "the mail servers disagreed about the protocol": "die Mailserver verstanden sich nicht",
    "the content cannot be delivered": "der Inhalt kann nicht zugestellt werden",
    "the mail server does not allow it": "der Mailserver erlaubt es nicht",
}

PHRASES: Final[Mapping[str, Mapping[str, str]]] = {"de": _GERMAN}
"""The translations by language, then by the English phrase."""


def translate(text: str, language: str) -> str:
    """Return a text of the gateway in a language (BCP 47); in English where it has no translation."""
    language = language.partition("-")[0]
    if language not in PHRASES:
        return text
    phrase = _translate_phrase(text, language)
    if phrase is not None:
        return phrase
    # Several reasons, of which each may have a translation.
    reasons = text.split(_SEPARATOR, _MAX_REASONS - 1)
    return _SEPARATOR.join(_translate_phrase(one, language) or one for one in reasons)


def _translate_phrase(text: str, language: str) -> str | None:
    phrases = PHRASES[language]
    if text in phrases:
        return phrases[text]
    head, colon, tail = text.partition(": ")
    if colon and head in phrases and _SEPARATOR not in tail:
        return f"{phrases[head]}: {phrases.get(tail, tail)}"
    for pattern, phrase in _patterns(language):
        if match := pattern.fullmatch(text):
            return phrase.format(match[1])
    return None


@cache
def _patterns(language: str) -> list[tuple[re.Pattern[str], str]]:
    """Return the phrases with a place for any text."""
    return [
        (re.compile(re.escape(english).replace(r"\{\}", "(.*)"), re.DOTALL), phrase)
        for english, phrase in PHRASES[language].items()
        if "{}" in english
    ]
