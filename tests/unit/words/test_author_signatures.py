"""Signatures without a delimiter in the languages of the gateway, and words of the author that look like one."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from messaging.words.footers.author_names import (
    begins_with_name,
    is_name_in_other_spelling,
    names_of,
    spell,
)
from messaging.words.html import read_html
from messaging.words.own_words import own_words
from messaging.words.spans import MarkedText
from messaging.words.split import split_words

TOM = "Tom Baker"
HEADERS = "From: Boop <b@sat.example>\nSent: 3 June 2024 10:00\nTo: Ann <a@x.example>\nSubject: Gale\n\nWhen?\n"
# The name in From, and a signature with all that a program puts into it.
SIGNATURES = [
    ("Tom Baker",
     "Kind regards,\nTom Baker\nClaims handler for marine and energy\nBaker Underwriting Ltd\n"
     "T: +44 20 0000 0000 | M: +44 7700 900 123\n1 Lime Street, London EC3M 7HA\nwww.baker.example"),
    ("Tom Baker",
     "Tom Baker\nHead of Operations\n\nBaker Yachts Ltd\nYard 3, Lerwick\n\nT +44 1595 000000\n"
     "M +44 7700 900123\nE tom@baker.example\nW www.baker.example"),
    ("Uwe Groß",
     "Mit freundlichen Grüßen / Kind regards\nUwe Groß\n"
     "Teamleiter im Bereich technischer Einkauf und Logistik\nWerft Nordwind GmbH & Co. KG\n"
     "Hafenstraße 1 | 24103 Kiel\nTel.: 0431 0000-0 | Fax: 0431 0000-10\nMobil: 0171 0000000\n"
     "E-Mail: u.gross@nordwind.example\nwww.nordwind.example"),
    ("Groß, Uwe", "Dipl.-Ing. (FH) Uwe Groß\nstellv. Hafenmeister\nStadt Kiel\nDurchwahl -123\nTelefon 0431 000000"),
    ("Gwenaelle Lebrun",
     "Gwenaëlle LEBRUN\nChargée de mission au service des phares et balises\nDDTM du Finistère\n"
     "2, boulevard du Finistère\n29000 Quimper\nTél. : 02 98 00 00 00"),
    ("Luc Noël", "Cordialement,\nLuc NOËL\ngérant\nNoël Marine SARL\nrue du Port, 56100 Lorient\n06 00 00 00 00"),
    ("Inés Ruiz Vela",
     "Un saludo,\nInés Ruiz\nDirectora de la oficina de reservas y amarres\nMarina del Sur, S.L.\n"
     "c/ Mayor 12, 11500 El Puerto\nMóvil 600 000 000"),
    ("João Matos",
     "Com os melhores cumprimentos,\nJoão Matos\nresponsável pela manutenção dos motores\n"
     "Matos Náutica, Lda.\nRua da Doca, 4 – 8600-315 Lagos\nTelem. 910 000 000"),
    ("Ada Bruni",
     "Cordiali saluti\nAda Bruni\naddetta all'ufficio tecnico e ai ricambi\nBruni Nautica S.r.l.\n"
     "via Roma 3, 16121 Genova\ncell. 333 0000000"),
    ("Piet de Vries",
     "Met vriendelijke groet,\nPiet de Vries\nmedewerker verkoop en service binnendienst\n"
     "De Vries Jachtservice B.V.\nHavenkade 3, 8861 KB Harlingen\n0517 000 000"),
    ("Bo Lind Madsen",
     "Med venlig hilsen\nBo Lind Madsen\nSagsbehandler i Søfartsstyrelsen, Maskinafdelingen\n"
     "Caspar Brands Plads 9, 4220 Korsør\nTlf. 72 00 00 00\nmobil +45 20 00 00 00"),
    ("Kari Moe", "Mvh\nKari Moe\nlosformidler\nKystverket\nTlf 22 33 44\nMob 900 00 117"),
    ("Åsa Ek",
     "Med vänlig hälsning\nÅsa Ek\nhandläggare på enheten för farleder och sjötrafik\n"
     "Sjöfartsverket\nÖstra Promenaden 7, Norrköping\nVxl 0771-00 00 00"),
    ("Aino Salo",
     "Ystävällisin terveisin\nAino Salo\nmyynti- ja huoltopäällikkö\nSaaristo Marin Oy Ab\n"
     "Rantakatu 3, 20100 Turku\npuh. 040 000 0000"),
    ("Jan Kos",
     "Z poważaniem\nJan Kos\nkierownik działu sprzedaży i obsługi klienta\nStocznia Kos sp. z o.o.\n"
     "ul. Nabrzeżna 3, 80-001 Gdańsk\nkom. 600 000 000"),
    ("Petr Malý",
     "S pozdravem\nIng. Petr Malý\nvedoucí oddělení nákupu a logistiky\nMalý a syn, s.r.o.\n"
     "Nábřeží 3, 110 00 Praha 1\nmob.: 600 000 000"),
    ("Oleg Los",
     "С уважением,\nОлег Лось\nзаместитель начальника отдела материально-технического снабжения\n"
     "АО «Северный флот»\nг. Мурманск, ул. Портовая, д. 5\nтел.: +7 (815) 123-45-67, доб. 12\n"
     "моб.: +7 921 123-45-67"),
    ("Лось Олег Иванович", "С уважением,\nОлег Иванович Лось\nинженер\n8 (815) 212-10-24"),
    ("Ганна Кіт",
     "З повагою,\nГанна Кіт\nпровідний фахівець відділу логістики\nТОВ «Чорне море»\n"
     "вул. Набережна, 7, Одеса\n+38 048 000 00 00"),
    ("Ali Kaya",
     "Saygılarımla,\nAli KAYA\nSatış ve Pazarlama Müdürü\nKaya Denizcilik San. ve Tic. Ltd. Şti.\n"
     "Liman Cad. No: 5 Tuzla/İstanbul\nGSM: 0532 000 00 00"),
    ("山田 太郎",
     "山田 太郎（やまだ たろう）\n株式会社山田 営業部\n〒100-0001 千代田区1-1\nTEL 03-0000-0000\nFAX 03-0000-0001\n"
     "E-mail yamada@yamada.example"),
    ("王伟", "王伟\n销售经理\n青岛海洋设备有限公司\n地址：青岛香港路1号\n电话：0532-00000000\n手机：13800000000"),
    ("김민수", "김민수 과장\n주식회사 바다 / 운항팀\n부산시 중구 1\nT. 051-000-0000 / M. 010-0000-0000"),
    ("김 민수", "김민수\n영업팀 과장\n(주)바다\n010-0000-0000"),
    ("Müller, Jörg", "Joerg Mueller\nInhaber\nMüller Bootsbau e.K.\nTel. 0461 000000"),
    ("Dmitry Shevchenko", "Дмитрий Шевченко\nкапитан порта\nтел. 048 000-00-00"),
    ("Tom Baker",
     "Tom Baker MBA, FRINA\nOwner & Founder | Baker Yachts\nOpening hours: Mon-Fri 9:00-17:00\n"
     "+44 1595 000000"),
    ("Jan Kos", "inż. Jan Kos\nspecjalista ds. obsługi silników\n+48 600 000 000"),
    ("罗丽萍", "------------------\n罗丽萍"),
    ("山田 太郎", "━━━━━━━━━━━━━━━\n株式会社山田\n営業部 山田太郎\nTEL 03-0000-0000\n━━━━━━━━━━━━━━━"),
    ("山田 太郎", "株式会社山田 営業部\n山田太郎\nTEL 03-0000-0000"),
    ("Uwe Groß", "Mit freundlichen Grüßen\ni. A. Uwe Groß\nDisponent\nWerft Nordwind GmbH\nTel. 0431 000000"),
    ("Kari Moe", "Vennlig hilsen\nKari Moe, daglig leder\nMoe Båt AS\nTlf. 00 00 00 00"),
    ("罗丽萍", "------------------\n罗丽萍\n13800000000"),
    ("Maria Oliveira",
     "Atenciosamente,\nMaria Oliveira\nAnalista de Operações Portuárias\nPorto do Rio Ltda.\n"
     "Tel (21) 0000-0000 | Cel (21) 90000-0000"),
]  # fmt: skip
# Texts of which all is own.
OWN = [
    # the number is the message
    (TOM, "We come.\n\nTom Baker\nMy new number: +44 7700 900123"),
    (TOM, "We come.\n\nTom Baker\nBaker Yachts Ltd\nMy new number: +44 7700 900123"),
    (TOM, "We come.\n\nTom Baker\nNew mobile number +44 7700 900123"),
    (TOM, "We come.\n\nTom Baker\nBaker Yachts Ltd\nCall +44 7700 900123"),
    (TOM, "We come.\n\nTom Baker\nHarbour Office\nPlease call +44 7700 900123"),
    (TOM, "My new number: +44 7700 900123\nTom Baker"),
    (TOM, "Call me: +44 7700 900123\n\nTom Baker"),
    (TOM, "Call me on +44 7700 900123\n\nTom"),
    (TOM, "Ring the agent at +44 7700 900123 / Tom Baker"),
    (TOM, "Tom Baker\n+44 7700 900123"),
    (TOM, "Tom Baker here.\n+44 7700 900123"),
    ("Kari Moe", "Ring meg på +47 900 00 117\nKari Moe"),
    ("Kari Moe", "Vi kommer.\n\nKari Moe\nNytt nummer: 900 00 117"),
    ("Kari Moe", "Vi kommer.\n\nKari Moe\nRing 900 00 117"),
    ("Jan Kos", "Tak.\n\nJan Kos\nNowy numer: 600 000 000"),
    ("Jan Kos", "Tak.\n\nJan Kos\nzadzwoń 600 000 000"),
    ("Uwe Groß", "Wir kommen.\n\nUwe Groß\nNeue Nummer: 0171 0000000"),
    ("Uwe Groß", "Wir kommen.\n\nUwe Groß\nWerft Nordwind GmbH\nRuf 0171 0000000 an"),
    ("Uwe Groß", "Wir kommen.\n\nUwe Groß\nMeine Handynummer ist 0171 0000000"),
    ("Luc Noël", "Oui.\n\nLuc Noël\nNouveau numéro : 06 00 00 00 00"),
    ("Luc Noël", "Oui.\n\nLuc Noël\nAppelle le 06 00 00 00 00"),
    ("Inés Ruiz", "Sí.\n\nInés Ruiz\nNuevo número: 600 000 000"),
    ("João Matos", "Sim.\n\nJoão Matos\nLiga para 910 000 000"),
    ("Ada Bruni", "Sì.\n\nAda Bruni\nIl mio numero: 333 0000000"),
    ("Piet de Vries", "Ja.\n\nPiet de Vries\nMijn nieuwe nummer is 06 00000000"),
    ("Åsa Ek", "Ja.\n\nÅsa Ek\nNytt nummer 070-000 00 00"),
    ("Aino Salo", "Joo.\n\nAino Salo\nSoita 040 000 0000"),
    ("Petr Malý", "Ano.\n\nPetr Malý\nNové číslo: 600 000 000"),
    ("Олег Лось", "Да.\n\nОлег Лось\nНовый номер: +7 921 123-45-67"),
    ("Олег Лось", "Да.\n\nОлег Лось\nЗвоните +7 921 123-45-67"),
    ("Ганна Кіт", "Так.\n\nГанна Кіт\nНовий номер: 048 000 00 00"),
    ("Ali Kaya", "Evet.\n\nAli Kaya\nYeni numaram 0532 000 00 00"),
    ("山田 太郎", "はい。\n\n山田太郎\n新しい番号 090-0000-0000"),
    ("王伟", "好。\n\n王伟\n新号码 13800000000"),
    ("王伟", "好。\n\n王伟\n请打电话 13800000000"),
    ("김민수", "네.\n\n김민수\n새 번호 010-0000-0000"),
    # sentences, dates, places and times below the name
    (TOM, "We come.\n\nTom Baker\nmanager of the yard is ill\n+44 1595 000000"),
    (TOM, "We come.\n\nTom Baker\nchief engineer will meet you at the pier\n+44 1595 000000"),
    (TOM, "We come.\n\nTom Baker\nThe captain has the keys to the office\nBaker Yachts Ltd"),
    (TOM, "We come.\n\nTom Baker\nBaker Yachts Ltd\nBring the agent 200 USD in cash\n+44 1595 000000"),
    (TOM, "We come.\n\nTom Baker\nBaker Yachts Ltd\nETA Lerwick 2024-06-03"),
    (TOM, "We come.\n\nTom Baker\nBaker Yachts Ltd\n60.15 N 1.14 W, 60.1512 1.1400"),
    (TOM, "We come.\n\nTom Baker\n03.06.2024\n+44 1595 000000"),
    (TOM, "We come.\n\nTom Baker\n10:00 12:00 14:00 16:00"),
    (TOM, "We come.\n\nTom Baker\nBaker Yachts Ltd\nonly until five o'clock, then the pub"),
    (TOM, "We come.\n\nTom Baker\nBaker Yachts Ltd\n+44 1595 000000\n\nDon't forget the rope"),
    (TOM, "We come.\n\nTom Baker\nBaker Yachts Ltd\n+44 1595 000000\n\nP.S. Gale on Sunday"),
    (TOM, "We come.\n\nTom Baker\nBaker Yachts Ltd\n+44 1595 000000\n\nlove you"),
    ("Олег Лось", "Да.\n\nОлег Лось\nначальник отдела заболел\nтел. 044 000 00 00"),
    ("Kari Moe", "Ja.\n\nKari Moe\nlederen er syk og kontoret er stengt\nTlf 22 33 44 55"),
    ("Jan Kos", "Tak.\n\nJan Kos\nkierownik jest chory\ntel. 58 000 00 00"),
    # names of others
    (TOM, "Ask the agent:\n\nTom Baker\nBaker Yachts Ltd\n+44 1595 000000"),
    ("Lars Berg", "Vi kommer.\n\nLise Berg\nSkipsmegler\nBerg AS\n+47 900 00 117"),
    ("Lars Berg", "Agent i Bodø\n\nL. Hansen\nBerg Shipping AS\n+47 900 00 117"),
    ("Olga Los", "Да.\n\nОлег Лось\nинженер\nтел. 044 000 00 00"),
    ("王伟", "好。\n\n王芳\n经理\n电话 010-00000000"),
    ("王伟", "好。\n\n王伟说明天到\n电话 010-00000000"),
    ("Leonid Kartashov", "Да.\n\nЛеонид Каташин\nинженер\nтел. 044 000 00 00"),
    (TOM, "We come.\n\nTom Baker & Sons\nBaker Yachts Ltd\nis the yard that has it"),
    ("Kari Moe", "Ja.\n\nKari Moe, lederen er syk\nMoe Båt AS\nTlf. 00 00 00 00"),
    (TOM, "We ordered it from Baker Yachts Ltd\n\nTom"),
    # the name alone
    ("罗丽萍", "好。\n\n罗丽萍"),
    ("罗丽萍", "好。\n\n\n\n\n罗丽萍"),
    (TOM, "We come.\n\n\n\n\nTom Baker"),
    (TOM, "----------\nTom Baker"),
    (TOM, "We come.\n\nRegards,\nTom Baker"),
    (TOM, "Regards,\nTom Baker"),
    (TOM, "Best regards / Mit freundlichen Grüßen\nTom Baker"),
    (TOM, "We come.\n---\nTom"),
    # whole message is a contact
    (TOM, "Tom Baker\nBaker Yachts Ltd\n1 Yard, Lerwick\n+44 1595 000000"),
    ("王伟", "王伟\n经理\n电话 010-00000000"),
    (TOM, "Contact for the pilot:\nTom Baker\n+44 1595 000000\nVHF 12"),
    (TOM, "We come.\n\nTom\n+44 1595 000000"),
    ("Kari", "Ring +47 900 00 117\nKari"),
]  # fmt: skip


@pytest.mark.parametrize(("author", "signature"), SIGNATURES)
def test_folds_a_signature_with_its_closing_phrase(author: str, signature: str) -> None:
    for below in ("\n", f"\n\n{HEADERS}"):
        text = f"We come at noon.\n\n{signature}{below}"
        assert split_words(MarkedText(text), author=author).own.strip() == "We come at noon."


@pytest.mark.parametrize(("author", "text"), OWN)
def test_keeps_words_that_look_like_a_signature(author: str, text: str) -> None:
    assert split_words(MarkedText(text), author=author).own == text
    split = split_words(MarkedText(f"{text}\n\n> When?\n> {author}\n"), author=author)
    assert split.own.startswith(text)


@pytest.mark.parametrize(
    ("author", "text", "own"),
    [
        # A blank line parts the closing phrase that the author typed from the signature.
        (TOM, "We come.\n\nRegards,\n\nTom Baker\nBaker Yachts Ltd\n+44 1595 000000", "We come. Regards,"),
        (TOM, "We come.\n\nRegards,\nTom Baker\n\nBaker Yachts Ltd\n+44 1595 000000", "We come. Regards, Tom Baker"),
        (TOM, "We come.\n\nRegards,\nTom Baker\n+44 1595 000000", "We come. Regards, Tom Baker"),
        # The author signed before.
        (TOM, "We come.\nTom\n\nRegards\n\nTom Baker\nBaker Yachts Ltd\n+44 1595 000000", "We come. Tom"),
        (TOM, "We come.\nTom\n\nRegards\nTom Baker\nBaker Yachts Ltd\n+44 1595 000000", "We come. Tom"),
        ("山田 太郎", "株式会社山田に電話します\n山田太郎\nTEL 03-0000-0000", "株式会社山田に電話します"),
        # The programs of QQ and Foxmail put the name alone.
        ("罗丽萍", "好。\n\n------------------\n罗丽萍\n", "好。"),
        ("罗丽萍", f"好。\n\n\n\n罗丽萍\n \n{HEADERS}", "好。"),
        ("罗丽萍", f"好。\n\n罗丽萍\n \n{HEADERS}", "好。 罗丽萍"),
        (TOM, f"We come.\n\nTom Baker\n\n{HEADERS}", "We come. Tom Baker"),
        (TOM, f"We come.\n\n\n\nTom\n\n{HEADERS}", "We come. Tom"),
        # Lines of a program behind the delimiter.
        (TOM, "We come.\n\n-- \nSent from my Android device with K-9 Mail.", "We come."),
        (TOM, "We come.\n--\nTom Baker", "We come."),
        (TOM, "We come.\n--\nTom", "We come. -- Tom"),
    ],
)  # fmt: skip
def test_tells_the_closing_of_the_author_from_that_of_a_program(
    author: str, text: str, own: str
) -> None:
    assert " ".join(split_words(MarkedText(text), author=author).own.split()) == own


def test_reads_the_blank_lines_of_outlook_in_html() -> None:
    lines = ["We come.", "", "Regards,", "", "Tom Baker", "Baker Yachts Ltd", "+44 1595 000000"]
    markup = "".join(
        f'<p class="MsoNormal">{line or "<o:p>&nbsp;</o:p>"}<o:p></o:p></p>' for line in lines
    )
    assert own_words(read_html(markup), author=TOM).text == "We come.\n\nRegards,"
    joined = markup.replace("Regards,</", "x</").replace("<o:p>&nbsp;</o:p>", "", 2)
    assert "Baker" not in own_words(read_html(joined), author=TOM).text


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Müller", "Mueller"), ("Bjørn", "Bjoern"), ("Åsa", "Aasa"), ("Łukasz", "Lukasz"), ("Işık", "Isik"),
        ("Gwenaëlle", "Gwenaelle"), ("Карташов", "Kartashov"), ("Щербаков", "Shcherbakov"), ("Юрий", "Yuri"),
        ("Юрий", "Yuriy"), ("Дмитрий", "Dmitry"), ("Гринюк", "Hryniuk"), ("Яковлева", "Yakovleva"),
        ("Хомяков", "Khomyakov"), ("Цветков", "Tsvetkov"), ("Groß", "Gross"),
    ],
)  # fmt: skip
def test_spells_a_name_alike_in_other_scripts(one: str, other: str) -> None:
    assert spell(one) == spell(other)


@pytest.mark.parametrize(
    ("author", "line", "is_name"),
    [
        ("Leonid Kartashov", "Леонид Карташов", True),
        ("Leonid Kartashov", "Карташов Леонид Игоревич", True),
        ("Leonid Kartashov", "Леонид И. Карташов", True),
        ("Alexander Ivanov", "Александр Иванов", True),
        ("Gwenaelle Lebrun", "LEBRUN Gwenaëlle", True),
        ("Lebrun, Gwenaelle", "Mme Gwenaëlle LEBRUN", True),
        ("山田太郎", "山田 太郎", True),
        ("김민수", "김 민수/과장", True),
        ("Leonid Kartashov", "Леонид", False),
        ("Leonid Kartashov", "Карташов", False),
        ("Leonid Kartashov", "Лидия Карташова", False),
        ("Leonid Kartashov", "Леонид Карташов придёт", False),
        ("Leonid Kartashov", "Леонид и Карташов", False),
        ("Christina Berg", "Christa Berg", False),
        ("Lars Berg", "Lise Berg", False),
        ("王伟", "王伟说明天到", False),
        ("王伟", "王芳", False),
        ("Tom", "Tom", False),
        ("", "Tom Baker", False),
    ],
)
def test_knows_the_name_in_other_spelling(author: str, line: str, is_name: bool) -> None:
    assert is_name_in_other_spelling(line, names_of(author)) is is_name


@pytest.mark.parametrize(
    ("line", "begins"),
    [
        ("Dipl.-Ing. (FH) Tom Baker", True),
        ("Capt. Tom Baker", True),
        ("Captain Tom Baker", True),
        ("Tom Baker, MSc", True),
        ("Baker Tom", True),
        ("Captain Baker", False),
        ("T. Baker", False),
        ("Tom Baker comes at noon", False),
        ("Dr. Dr. Dr.", False),
        ("", False),
    ],
)
def test_reads_titles_around_a_name(line: str, begins: bool) -> None:
    assert begins_with_name(line, names_of(TOM)) is begins


LINES = st.sampled_from(
    [line for _, text in (*SIGNATURES, *OWN) for line in text.split("\n")]
    + ["", "> q", "-- ", "x."]
)


@given(st.lists(LINES, max_size=25), st.sampled_from([author for author, _ in SIGNATURES]))
def test_spans_cover_any_mixture_of_lines(lines: list[str], author: str) -> None:
    text = "\n".join(lines)
    split = split_words(MarkedText(text), author=author)
    assert "".join(text[span.start : span.end] for span in split.spans) == text
    assert len(split.own) + len(split.rest) == len(text)


def seconds_of(text: str, author: str) -> float:
    start = time.process_time()
    own_words(MarkedText(text), author=author)
    return time.process_time() - start


@pytest.mark.parametrize(
    ("piece", "author"),
    [
        ("x\n\nКарташов Леонид Игоревич\nначальник отдела\n+7 921 000-00-00\n\n> q\n\n", "Leonid Kartashov"),
        ("Леонид Карташов\n+7 921 000-00-00\n", "Leonid Kartashov"),
        ("ö" * 400 + "\n0000000\n", "Leonid Kartashov"),
        ("Regards / Tom / " * 6 + "\n", TOM),
        ("Tom Baker\nmanager " + "of the " * 12 + "\n+44 1595 000000\n\n> q\n", TOM),
        ("+44 " * 30 + "\n", TOM),
        ("----------\nTom Baker\n\n> q\n\n", TOM),
        ("王伟\n" + "王" * 60 + "\n电话 010-00000000\n", "王伟"),
    ],
    ids=range(8),
)  # fmt: skip
def test_needs_twice_the_time_for_twice_the_text(piece: str, author: str) -> None:
    count = 150_000 // len(piece)
    once = min(seconds_of(piece * count, author) for _ in range(3))
    twice = min(seconds_of(piece * 2 * count, author) for _ in range(3))
    # A step that is not linear would need four times as long; other programs may take a share of the machine.
    assert twice < 3.5 * once + 0.2
