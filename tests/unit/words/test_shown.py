"""Subjects, plain characters and reactions as devices and phones are shown them."""

import pytest

from messaging.words.alphabet import Alphabet, write_plainly
from messaging.words.reactions import shorten_reaction
from messaging.words.subject import lines_to_show


@pytest.mark.parametrize(
    ("subject", "shown"),
    [
        ("Weather", "Weather\nYes."),
        ("Re: Weather", "Yes."),
        ("AW: Re[2]: Weather", "Yes."),
        ("SV: Weather", "Yes."),
        ("回复：Weather", "Yes."),
        ("Message from boop", "Yes."),
        ("Re: Message from boop", "Yes."),
        ("Message from the harbour", "Message from the harbour\nYes."),
        ("Fwd: Weather", "Fwd: Weather\nYes."),
        ("Report: Weather", "Report: Weather\nYes."),
        ("", "Yes."),
    ],
)
def test_a_subject_is_shown_where_it_is_news(subject: str, shown: str) -> None:
    assert lines_to_show(subject, "Yes.") == shown


def test_a_subject_alone_is_the_message() -> None:
    assert lines_to_show("Re: On my way", "") == "On my way"


@pytest.mark.parametrize(
    ("subject", "text", "shown"),
    [
        ("On my way", "On my way, 20 minutes left", "On my way, 20 minutes left"),
        ("On my way...", "on my way", "on my way"),
        ("On", "Only you", "On\nOnly you"),
        ("Grüße", "GRÜSSE aus Kiel", "GRÜSSE aus Kiel"),
        ("", "hello", "hello"),
        ("...", "hello", "...\nhello"),
    ],
)
def test_a_subject_that_the_text_begins_with_is_shown_once(
    subject: str, text: str, shown: str
) -> None:
    assert lines_to_show(subject, text) == shown


def test_typographic_characters_become_plain() -> None:
    text = "It’s “fine” – see you… ﬁne\u00a0é"
    assert write_plainly(text, Alphabet.PLAIN) == 'It\'s "fine" - see you... fine é'
    assert write_plainly(text, Alphabet.EXACT) == text
    assert write_plainly("Grüße, Łódź: 5 €, 北", Alphabet.ASCII) == "Gruesse, Lodz: 5 EUR, ?"


def test_plain_characters_are_taken_where_they_cost_less() -> None:
    assert write_plainly("“ok”", Alphabet.PLAIN, len) == "“ok”"
    assert write_plainly("“ok”", Alphabet.PLAIN, lambda text: len(text.encode())) == '"ok"'


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Liked “Are you at the pier at noon tomorrow?”", 'Liked "Are you at the pier at..."'),
        ("Laughed at “ok”", 'Laughed at "ok"'),
        ("👍 to “See you”", '👍 to "See you"'),
        ("\u200a👍\u200a to “See you”", '👍 to "See you"'),
        (
            "Hat „Sind wir am Sonntag um zwölf am Hafen?“ mit ❤️ reagiert",
            'Hat "Sind wir am Sonntag um..." mit ❤️ reagiert',
        ),
        (
            "Hat „Bis Sonntag“ mit „Gefällt mir“ markiert",
            'Hat "Bis Sonntag" mit „Gefällt mir“ markiert',
        ),
        (
            "A réagi avec ❤️ à « On vous attend au port dimanche »",
            'A réagi avec ❤️ à "On vous attend au port..."',
        ),
        ("Reaccionó con 😂 a “Nos vemos”", 'Reaccionó con 😂 a "Nos vemos"'),
        ("Vond “Tot zondag” leuk", 'Vond "Tot zondag" leuk'),
        (
            "「日曜日に港で会いましょう」に「いいね」しました",
            '"日曜日に港で会いましょう" に「いいね」しました',
        ),
        ("Liked “He said “no” to all of them twice”", 'Liked "He said “no” to all of..."'),
        ("5 to “go”", "5 to “go”"),
        ("Liked it very much", "Liked it very much"),
        ("I liked “Moby Dick”", "I liked “Moby Dick”"),
    ],
)
def test_reactions_are_shortened(text: str, shown: str) -> None:
    assert shorten_reaction(text) == shown


@pytest.mark.parametrize(
    "text", ["Liked “" * 280 + "x", "“" * 2000, "Hat „" + "a “" * 600, "* " * 900 + "“"]
)
def test_hostile_reactions_stay_as_they_are(text: str) -> None:
    assert shorten_reaction(text) == text
