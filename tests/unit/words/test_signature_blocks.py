"""Signatures without a delimiter below the name of the author, messages below one, and footers about paper."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from messaging.mail.parse.words import words_of_mail
from messaging.words.footers.author_names import names_of
from messaging.words.own_words import own_words
from messaging.words.spans import MarkedText, SpanKind
from messaging.words.split import split_words

QUOTED = "On 3 Jun 2024 10:11 Boop <b@sat.example> wrote:\n> When?\n"


def own_words_of(text: str, author: str = "") -> str:
    return " ".join(split_words(MarkedText(text), author=author).own.split())


# The name in From, and the block that begins with it.
BLOCKS = [
    ("Tom Baker", "Tom Baker\nHarbour Master\nScalloway Harbour Trust\n+44 1595 000000"),
    ("Tom Baker", "Tom Baker BSc MRINA | Director\nBaker Yachts Ltd.\nwww.baker.example"),
    ("Baker, Tom", "Tom Baker\nBaker Yachts Ltd"),
    ("Tom Baker (Yard)", "BAKER Tom\nYard 3\nT: 01595 000000"),
    ("Dr. Jana Groß", "Jana Groß\nLeiterin Technik\nWerft Nordwind GmbH\nHafenstr. 1, 24103 Kiel\nTel. 0431 000000"),
    ("Jana Groß", "Dr. Jana Groß\nWerft Nordwind GmbH\nHRB 000000 KI, Geschäftsführer: Uwe Groß"),
    ("Luc Noël", "Luc Noël\nResponsable technique\nNoël Marine SARL\n05.62.00.00.00\nSIRET 000 000 000 00000"),
    ("Inés Ruiz Vela", "Inés Ruiz Vela\nJefa de puerto\nMóvil: 600 000 000\nines@puerto.example"),
    ("João Matos", "João Matos\nDiretor\nMatos Náutica, Lda.\nNIF 000000000"),
    ("Ada Bruni", "Ada Bruni\nUfficio tecnico\nBruni Nautica S.r.l.\nP.IVA 00000000000"),
    ("Piet de Vries", "Piet de Vries\nHavenmeester\nDe Vries B.V.\nKvK 00000000"),
    ("Bo Lind", "Bo Lind\nMaskinchef\nLind & Co ApS\nCVR 00000000"),
    ("Kari Moe", "Kari Moe\nDaglig leder\nMoe Båt AS\nTlf. 00 00 00 00"),
    ("Åsa Ek", "Åsa Ek\nInspektör\nRederi AB Ek\n+46 8 000 00 00"),
    ("Aino Salo", "Aino Salo\nToimitusjohtaja\nSalo Oy\nPuh. 040 000 0000"),
    ("Jan Kos", "Jan Kos\nKierownik\nStocznia Kos Sp. z o.o.\nNIP 000-000-00-00, kapitał zakładowy 5 000 zł"),
    ("Petr Malý", "Petr Malý\nVedoucí skladu\nMalý a syn, s.r.o.\nIČO 00000000"),
    ("Олег Лось", "Олег Лось\nНачальник отдела\nООО «Лось»\nИНН 0000000000"),
    ("Ганна Кіт", "Ганна Кіт\nІнженер\nтел. 044 000 00 00"),
    ("Ali Kaya", "Ali Kaya\nMüdür\nKaya Denizcilik A.Ş.\nTel: 0212 000 00 00"),
    ("山田 太郎", "山田太郎\n営業部\n株式会社山田\nTEL 03-0000-0000"),
    ("王伟", "王伟\n经理\n海洋有限公司\n电话 010-00000000"),
    ("김민수", "김민수\n팀장\n주식회사 바다\n전화 02-000-0000"),
    ("Lena Sand", "Lena Sand\nBüro Nord"),
    ("Rosa Diaz", "Rosa Diaz\nOficina del puerto\nVigo"),
    ("Eve Hall", "Eve Hall\nDepartment of Tides"),
    ("Marie Petit", "Marie Petit\nBureau des pilotes"),
]  # fmt: skip


@pytest.mark.parametrize(("author", "block"), BLOCKS)
def test_folds_the_signature_that_begins_with_the_name_of_the_author(
    author: str, block: str
) -> None:
    assert own_words_of(f"We come at noon.\n\nT.\n\n{block}\n", author) == "We come at noon. T."
    assert own_words_of(f"We come at noon.\n\n{block}\n\n{QUOTED}", author) == "We come at noon."
    # Only the author's name makes the lines a signature.
    first = block.split()[0]
    assert first in own_words_of(f"We come at noon.\n\n{block}\n", "Someone Else")


@pytest.mark.parametrize(
    ("author", "text", "own"),
    [
        ("Tom Baker", "We come.\n\nTom\nHarbour Office\n+44 1595 000000", "We come. Tom"),
        ("Tom Baker", "We come.\n\n/Tom\nBaker Yachts Ltd\nYard 3, Lerwick", "We come. /Tom"),
        ("Jan Kos", "Tak.\n\nJ. Kos\nKierownik\ntel. 58 000 00 00", "Tak. J. Kos"),
        ("Tom", "We come.\n\nTom\nEngineer\nwww.baker.example", "We come. Tom"),
        (
            "Tom Baker",
            "We come.\n\nBest regards,\nTom Baker\nHarbour Office",
            "We come. Best regards, Tom Baker",
        ),
    ],
)
def test_a_name_that_ends_the_message_stays(author: str, text: str, own: str) -> None:
    assert own_words_of(text, author) == own
    assert own_words_of(f"{text}\n\n{QUOTED}", author) == own


@pytest.mark.parametrize(
    "text",
    [
        # Nothing else would remain.
        "Tom Baker\nHarbour Master\n+44 1595 000000",
        "We come.\n\nTom Baker",
        "We come.\n\nTom Baker\nBring rope",
        "We come.\n\nTom Baker\nSee you",
        "We come.\n\nTom Baker\nOffice closed Monday",
        "We come.\n\nBest regards,\nTom Baker\nBüro Montag zu",
        "We come.\n\nTom Baker\nChief engineer ill",
        "We come.\n\nTom Baker\nHarbour Master\nBring two ropes and the anchor.\n+44 1595 000000",
        "We come.\n\nTom Baker\nBaker Yachts Ltd\nIs it blowing?",
        "We come.\n\nTom Baker\nBaker Yachts Ltd\nHurry!",
        "We come.\n\nTom Baker\nBaker Yachts Ltd\nPS the key hangs inside",
        "We come.\n\nTom Baker\nBaker Yachts Ltd\nETA 03.06.2024",
        "We come.\n\nTom Baker\nBaker Yachts Ltd\nFrom 10:00 on",
        "We come.\n\nTom Baker\n57.1234 N 3.4567 W",
        "We come.\n\nTom Baker\n57° 12' N, 3° 45' W, 1234567",
        "We come.\n\nTom Baker\ncall me on 0171 1234567",
        "We come.\n\nTom Baker\nCall 0171 1234567",
        "We come.\n\nTom\n0171 1234567",
        "We come.\n\nTom\nAnchor at Scapa\nCall 0171 1234567",
        "Send the parts to:\n\nTom Baker\nYard 3, Lerwick\nPhone 01595 000000",
        "Schick es an:\n\nTom Baker\nBaker Yachts Ltd\nYard 3, Lerwick",
        "We come.\n\nTom Baker is here\nBaker Yachts Ltd",
        "We come.\n\nTom Baker will bring it\n+44 1595 000000",
        "We come.\n\nTom Bakerman\nBaker Yachts Ltd",
        "We come.\n\nTom Baker\n" + "Baker Yachts Ltd\n" * 13,
        "We come.\n\nTom Baker\nBaker Yachts Ltd\n" + "Words " * 30,
        "We come.\n\nTom Baker\nBaker Yachts Ltd\n\nThe wind drops on Sunday and we wait until then",
        "We come.\n\nTom Baker\nOrder 40 KG",
    ],
)
def test_keeps_words_of_the_author_below_the_name(text: str) -> None:
    assert split_words(MarkedText(text), author="Tom Baker").own == text


@pytest.mark.parametrize(
    ("author", "text"),
    [
        ("山田 太郎", "はい。\n\n山田太郎\n明日の朝に行きます\n03-0000-0000"),
        ("김민수", "네.\n\n김민수\n내일 아침에 가요\n02-000-0000"),
        ("王伟", "好。\n\n王伟\n我们到了\n010-00000000"),
        ("Олег Лось", "Да.\n\nОлег Лось\nПриходите все вместе завтра\nтел. 044 000 00 00"),
    ],
)
def test_keeps_sentences_without_a_stop(author: str, text: str) -> None:
    assert split_words(MarkedText(text), author=author).own == text


def test_takes_the_name_from_the_header() -> None:
    body = "\r\n\r\nWe come.\r\n\r\nTom Baker\r\nBaker Yachts Ltd\r\n"
    mail = f'From: "Baker, Tom" <tom@yard.example>\r\nSubject: x{body}'
    assert words_of_mail(mail.encode()).text == "We come."
    assert words_of_mail(mail.replace("Baker, ", "").encode()).text.endswith("Ltd")
    for sender in (
        "tom.baker@yard.example",
        "Tom <tom_baker@yard.example>",
        "<baker.tom@x.example>",
    ):
        assert words_of_mail(f"From: {sender}\r\nSubject: x{body}".encode()).text == "We come."
    for sender in ("t.baker@yard.example", "Yard <tom.baker@yard.example>", "tom@yard.example"):
        text = words_of_mail(f"From: {sender}\r\nSubject: x{body}".encode()).text
        assert text.endswith("Ltd")


@pytest.mark.parametrize(
    ("display_name", "full"),
    [
        ("", set()),
        ("tom@yard.example", set()),
        ("Tom", set()),
        ("Tom Baker", {("tom", "baker"), ("baker", "tom")}),
        ("Tom Baker - Yard", {("tom", "baker"), ("baker", "tom")}),
        ("Tom Baker via List", {("tom", "baker"), ("baker", "tom")}),
        ("王伟", {("王伟",)}),
        ("x" * 200, set()),
    ],
)
def test_reads_the_forms_of_a_name(display_name: str, full: set[tuple[str, ...]]) -> None:
    assert names_of(display_name).full == full


@given(st.text(max_size=80), st.text(max_size=200))
def test_any_name_may_meet_any_text(display_name: str, text: str) -> None:
    split = split_words(
        MarkedText(f"Hello.\n\n{text}\n{display_name}\n1234567"), author=display_name
    )
    assert len(split.own) + len(split.rest) == len(split.text)


def test_shows_a_message_below_the_delimiter_without_the_history() -> None:
    text = f"-- \nThe rudder holds, we sail at dawn.\nTom\n\n{QUOTED}"
    split = split_words(MarkedText(text))
    assert split.own.split() == ["The", "rudder", "holds,", "we", "sail", "at", "dawn.", "Tom"]
    assert split.text_of(SpanKind.SIGNATURE) == "-- \n"
    assert own_words(MarkedText(text)).text == "The rudder holds, we sail at dawn.\nTom"


@pytest.mark.parametrize(
    "text",
    [
        f"-- \nTom\nBaker Yachts Ltd\n\n{QUOTED}",
        f"-- \nSent from my Android device with K-9 Mail.\n\n{QUOTED}",
        f"-- \n\n{QUOTED}",
        "-- \nTom\n\nFrom: Bob <b@x.example>\nSubject: Gale\nTo: Tom\n\nGale 8.\n",
    ],
)
def test_a_signature_alone_is_no_message(text: str) -> None:
    assert split_words(MarkedText(text)).own == text


PAPER = [
    "Please consider the environment before printing this e-mail.", "Think before you print: save trees.",
    "Bitte denken Sie an die Umwelt, bevor Sie diese E-Mail ausdrucken.",
    "Muss diese E-Mail ausgedruckt werden? Der Umwelt zuliebe nicht.",
    "Pensez à l'environnement avant d'imprimer ce message.", "Avant d’imprimer, pensez à l’environnement.",
    "Antes de imprimir este mensaje, piense en el medio ambiente.",
    "No imprima si no es necesario. Proteja el medio ambiente.",
    "Antes de imprimir pense no meio ambiente.", "Prima di stampare questa mail pensa all'ambiente.",
    "Denk aan het milieu voordat u deze e-mail print.", "Tænk på miljøet, inden du printer denne mail.",
    "Ta hensyn til miljøet før du skriver ut denne e-posten.", "Tänk på miljön innan du skriver ut mejlet.",
    "Ajattele ympäristöä ennen kuin tulostat tämän viestin.", "Zanim wydrukujesz, pomyśl o środowisku.",
    "Myslete na životní prostředí, než vytisknete tento e-mail.",
    "Подумайте об окружающей среде, прежде чем распечатывать это письмо.",
    "Перш ніж друкувати цей лист, подумайте про довкілля.", "Bu e-postayı yazdırmadan önce çevreyi düşünün.",
    "このメールを印刷する前に、環境への配慮をお願いします。", "打印本邮件前请考虑环境保护。", "列印前請考慮環境。",
    "이 메일을 인쇄하기 전에 환경을 생각해 주세요.",
]  # fmt: skip


@pytest.mark.parametrize("footer", PAPER)
def test_folds_footers_about_paper(footer: str) -> None:
    assert own_words_of(f"We come.\n\nTom\n\n{footer}\n") == "We come. Tom"
    assert own_words_of(f"We come.\n\n\U0001f333 {footer}\n\n{QUOTED}") == "We come."


@pytest.mark.parametrize(
    "line",
    [
        "Please print this environmental permit before we land.",
        "Look at the chart before printing it.",
        "You need to print the environment variable first.",
        "Bitte die Umweltgenehmigung ausdrucken.",
        "Druck die Karte aus, bevor du losfährst, der Umwelt schadet das nicht.",
        "Imprima el permiso de medio ambiente.",
        "Avant d'imprimer la carte, appelle-moi.",
        "Прежде чем ехать на природу, проверь лодку.",
        "Wydrukuj pozwolenie środowiskowe.",
        "印刷環境が壊れました。",
        "打印机在环境办公室。",
    ],
)
def test_keeps_sentences_about_paper_or_nature(line: str) -> None:
    assert own_words_of(f"We come.\n\n{line}\n") == f"We come. {line}"


@pytest.mark.parametrize(
    "text",
    [
        "Tom Baker\n" * 20_000,
        "Tom Baker\nBaker Yachts Ltd\n" * 10_000,
        "x\n\nTom Baker\nYard Ltd\n\n> q\n\n" * 8000,
        "> q\n\nTom Baker\nYard Ltd\n\n" * 8000,
        "Sent from my iPhone\n\nx\n\n" * 8000,
        "AB> q\n\na\n\n" * 10_000,
        "A" * 200_000 + ">",
        ("A>" * 50 + "\n") * 2000,
        "-- \nWe sail at dawn, come.\n" * 8000,
        "We come.\n\nTom Baker\n" + "Tom Baker Ltd " * 10_000,
        "Get Outlook for iOS, " * 8000,
        ("Get BlueMail for " + "Android/" * 8 + "\n\n") * 3000,
        "before printing the environment\n" * 5000,
    ],
    ids=range(13),
)
def test_takes_bounded_time(text: str) -> None:
    start = time.process_time()
    words = own_words(MarkedText(text), author="Tom Baker")
    # An idle machine needs a fifth; a step that is not linear would need minutes.
    assert time.process_time() - start < 10
    assert len(words.split.own) + len(words.split.rest) == len(text)
