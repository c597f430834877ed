"""Texts of the gateway to a device are translated; a phrase without a translation stays in English."""

import string

import pytest

from messaging.mail.parse import bounce
from messaging.store.accept import address_line, refusals
from messaging.store.queue import delivery_state
from messaging.words.device.phrases import PHRASES, translate


@pytest.mark.parametrize(
    ("english", "german"),
    [
        ("no text", "kein Text"),
        ("no contact @alise", "kein Kontakt @alise"),
        ("no contact Answer", "kein Kontakt Answer"),
        ("alice@ is no mailbox", "alice@ ist keine Mailadresse"),
        (
            "no SMS to DE from here; have the number added as a contact",
            "keine SMS nach DE; lass die Nummer als Kontakt eintragen",
        ),
        (
            "the mail bounced: the mailbox is full; the mail server said: 552 5.2.2 full",
            "die Mail kam zurück: das Postfach ist voll; der Mailserver sagte: 552 5.2.2 full",
        ),
        ("no contact {0}; {}", "kein Kontakt {0}; {}"),
        ("some other reason; no text", "some other reason; kein Text"),
        ("some other reason", "some other reason"),
    ],
)
def test_a_phrase_is_translated(english: str, german: str) -> None:
    assert translate(english, "de") == german
    assert translate(english, "de-at") == german
    assert translate(english, "en") == english
    assert translate(english, "nl") == english


def test_every_refusal_that_a_device_is_told_has_a_translation() -> None:
    # Devices that are not registered or switched off are told nothing, and no device relays.
    untold = {"the device is not registered here", "the device is switched off here"}
    untold |= {refusals.INACTIVE_OWNER.reason, refusals.NOT_OURS.reason}
    found = [
        one.reason
        for module in (refusals, address_line)
        for one in vars(module).values()
        if isinstance(one, refusals.Refusal) and not one.is_temporary
    ]
    found += [delivery_state.NO_REASON, delivery_state.NO_ANSWER, delivery_state.NO_ATTEMPT]
    found += [bounce.explain_status("5.1.1"), bounce.explain_status("9")]
    assert len(found) > 20
    assert [one for one in found if one not in untold and translate(one, "de") == one] == []


def test_translations_have_the_places_of_their_phrases() -> None:
    for phrases in PHRASES.values():
        for english, translation in phrases.items():
            assert english.count("{}") == translation.count("{}") <= 1
            assert len(list(string.Formatter().parse(translation))) >= 1
