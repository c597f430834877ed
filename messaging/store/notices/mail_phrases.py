"""Translates the mails that the gateway writes to a subscriber. Pure.

A phrase without a translation stays in English. Each `{name}` stands for a value.
"""

from collections.abc import Mapping
from typing import Final

_GERMAN: Final[Mapping[str, str]] = {
    # The mail that asks to confirm a mailbox.
    "Confirm this mailbox": "Bestätige dieses Postfach",
    "This mailbox is to hear of messages that are held for {mailbox}: by one mail a day at most.": (
        "Dieses Postfach soll von Nachrichten erfahren, die für {mailbox} zurückgehalten werden:"
        " durch höchstens eine Mail am Tag."
    ),
    "To confirm it, open this page and press the button:": (
        "Zum Bestätigen öffne diese Seite und drücke den Knopf:"
    ),
    "An operator of the gateway can confirm it by this command:": (
        "Ein Betreiber des Gateways kann es mit diesem Befehl bestätigen:"
    ),
    "The code ends at {end}. If you did not ask for this, do nothing.": (
        "Der Code gilt bis {end}. Wenn du das nicht wolltest, tu nichts."
    ),
    # The digest.
    "1 message waits for your decision": "1 Nachricht wartet auf deine Entscheidung",
    "{number} messages wait for your decision": "{number} Nachrichten warten auf deine Entscheidung",
    "These messages to {mailbox} are held. They cost nothing until you release them.": (
        "Diese Nachrichten an {mailbox} werden zurückgehalten. Sie kosten nichts, bis du sie freigibst."
    ),
    "Subject: {subject}": "Betreff: {subject}",
    "Held until {end}, it expires then. Why: {reason}": (
        "Zurückgehalten bis {end}, dann verfällt sie. Warum: {reason}"
    ),
    "Release it once, always allow the author, or block the author:": (
        "Einmal freigeben, Absender immer erlauben oder sperren:"
    ),
    "Release it once: {command}": "Einmal freigeben: {command}",
    "Always allow the author: {command}": "Absender immer erlauben: {command}",
    "Block the author: {command}": "Absender sperren: {command}",
    "{number} more are held; these commands list and release them all:": (
        "{number} weitere werden zurückgehalten; diese Befehle zeigen sie alle und geben sie frei:"
    ),
    "From lists and programs, and marked as spam ({number}):": (
        "Von Listen und Programmen, und als Spam markiert ({number}):"
    ),
    "{author}: {number}, the last: {subject}": "{author}: {number}, die letzte: {subject}",
    "{number} more of others": "{number} weitere von anderen",
    "{number} that earlier mails named are still held; the first of them expires at {end}.": (
        "{number}, die frühere Mails nannten, werden noch zurückgehalten; die erste verfällt am {end}."
    ),
    "To get no more of these mails, open this page and press the button:": (
        "Um keine solchen Mails mehr zu bekommen, öffne diese Seite und drücke den Knopf:"
    ),
    "To get no more of these mails: {command}": "Um keine solchen Mails mehr zu bekommen: {command}",
    "This is an automated message; replies are not monitored.": (
        "Dies ist eine automatische Nachricht; Antworten liest niemand."
    ),
    # How well the author is proved.
    "proved": "nachgewiesen",
    "likely": "wahrscheinlich echt",
    "unproved": "nicht nachgewiesen",
    # Why a message is held.
    "the author is no contact": "der Absender ist kein Kontakt",
    "the author is not proved well enough": "der Absender ist nicht gut genug nachgewiesen",
    "it is from a list or a program": "sie ist von einer Liste oder einem Programm",
    "a relay marked it as spam": "ein Mailserver hat sie als Spam markiert",
    "more than {number} messages of this author within an hour": (
        "mehr als {number} Nachrichten dieses Absenders in einer Stunde"
    ),
    "more than {number} messages to this device within an hour": (
        "mehr als {number} Nachrichten an dieses Gerät in einer Stunde"
    ),
    "more than {number} messages of strangers at this domain within an hour": (
        "mehr als {number} Nachrichten von Fremden dieser Domain in einer Stunde"
    ),
    "more than {number} mails of strangers by this network of mail servers within an hour": (
        "mehr als {number} Mails von Fremden aus diesem Netz von Mailservern in einer Stunde"
    ),
    "more than {number} messages to all devices of this gateway within an hour": (
        "mehr als {number} Nachrichten an alle Geräte dieses Gateways in einer Stunde"
    ),
    # Budgets.
    "Your budgets": "Deine Budgets",
    "Budget {name} per {period}: {percent} % are used, {used} of {limit}.": (
        "Budget {name} je {period}: {percent} % sind verbraucht, {used} von {limit}."
    ),
    "day": "Tag",
    "week": "Woche",
    "month": "Monat",
    "trip": "Reise",
    "{number} messages wait for room in a budget, and go when it has some. This command lists them:": (
        "{number} Nachrichten warten auf Platz in einem Budget und gehen dann ab. Dieser Befehl zeigt sie:"
    ),
}

MAIL_PHRASES: Final[Mapping[str, Mapping[str, str]]] = {"de": _GERMAN}
"""The translations by language, then by the English phrase."""


def translate_mail(phrase: str, language: str, **values: object) -> str:
    """Return a phrase in a language (BCP 47) with its values; in English where it has no translation."""
    phrases = MAIL_PHRASES.get(language.partition("-")[0], {})
    return phrases.get(phrase, phrase).format(**values)
