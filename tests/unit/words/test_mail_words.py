"""The own words of whole mails: kinds of mails that people reported, and hostile ones."""

import time

import pytest

from messaging.mail.parse.reader import points_to_html
from messaging.mail.parse.words import words_of_mail
from messaging.words.phrases import POINTERS_TO_HTML

UU_LINE = "M" + '  $" P0%!@<("0H+# T.#Q 1$A,4%187&!D:&QP=' + "'A" + r"\@(2(C)" + '"4F)R@I*BLL'
PADDING = "\u200c\u200b\u200d\u200e\u200f\ufeff " * 150


def mail(body: str, content_type: str = "text/plain", subject: str = "s") -> bytes:
    header = f"From: Ann <ann@example.net>\nSubject: {subject}\nContent-Type: {content_type}; charset=utf-8\n"
    return f"{header}\n{body}".encode()


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (
            mail(
                '<div style="max-height:0;overflow:hidden;mso-hide:all">Preview</div><p>Gale 8.</p>',
                "text/html",
            ),
            "Gale 8.",
        ),
        (mail(f"Gale tonight {PADDING}\nSeek shelter."), "Gale tonight\nSeek shelter."),
        (
            mail(f"Here is the photo.\n\nbegin 644 photo.jpg\n{UU_LINE}\n{UU_LINE}\n`\nend\n"),
            "Here is the photo.",
        ),
        (
            mail(
                "-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\nAnchor well.\n"
                "-----BEGIN PGP SIGNATURE-----\n\niQEz\n=abcd\n-----END PGP SIGNATURE-----\n"
            ),
            "Anchor well.",
        ),
        (mail("-----BEGIN PGP MESSAGE-----\n\nhQEM\n=abcd\n-----END PGP MESSAGE-----\n"), ""),
        (mail("They were not sent:-\n\nVisa\n\n06/17"), "They were not sent:-\n\nVisa\n\n06/17"),
        (
            mail(
                "FYI\n\nVon: Bob <b@example.net>\nAn: Ann\nBetreff: Sturm\n\nBft 8.",
                subject="WG: Sturm",
            ),
            "FYI\n\nBft 8.",
        ),
    ],
)
def test_gives_the_words_of_a_person(data: bytes, words: str) -> None:
    assert words_of_mail(data).text == words


@pytest.mark.parametrize(
    "data",
    [
        mail("<b>x</b> " * 600_000, "text/html"),
        mail("--b\n\nx\n" * 100_000, "multipart/mixed; boundary=b"),
        mail("\n".join(">" * depth + " x" for depth in range(5000))),
        mail("On a " * 20_000),
        mail("On a\n" * 20_000),
        mail("<blockquote type=cite>" * 5000 + "x", "text/html"),
        mail("".join(f"<a href=https://x.example/{n}>x</a> " for n in range(5000)), "text/html"),
        mail("-----\nAnn, 1.1.2026 10:00\n" * 3000),
        mail("begin 644 x\n" * 8000),
        mail("[cid:" * 4000 + "<https://" * 2000),
    ],
    ids=[
        "one line of HTML",
        "parts",
        "nested quotes",
        "openers in a line",
        "openers",
        "nested quotes in HTML",
        "links",
        "tickets",
        "files",
        "stand-ins",
    ],
)
def test_takes_bounded_time_for_hostile_mails(data: bytes) -> None:
    start = time.process_time()
    words = words_of_mail(data)
    assert time.process_time() - start < 5
    assert len(words.split.own) + len(words.split.rest) == len(words.split.text)


@pytest.mark.parametrize("phrase", POINTERS_TO_HTML)
def test_a_plain_text_that_points_to_the_html_is_known_by_each_phrase(phrase: str) -> None:
    assert points_to_html(f"Hello:\n{phrase.title()}.")
