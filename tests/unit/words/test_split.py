"""The split of a text into own words and folded text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from messaging.words.own_words import own_words
from messaging.words.spans import Mark, MarkedText, SpanKind, Split
from messaging.words.split import split_words

REPLY = (
    "Yes, at six.\n\nOn Fri, Nov 27, 2026 at 3:14 PM Boop <boop@sat.example> wrote:\n\n> When?\n"
)
HEADERS = "Yes.\n\nFrom: Boop <boop@sat.example>\nSent: Friday\nTo: Ann\nSubject: Hello\n\nWhen?\n"


A = "Boop <boop@sat.example>"
# Lines above a quotation as Gmail, Apple's program, Thunderbird, Mutt and others write them.
ATTRIBUTIONS = [
    f"Den fre. 27. nov. 2026 kl. 15.14 skrev {A}:",
    f"fre. 27. nov. 2026 kl. 15:14 skrev {A}:",
    f"Den fre 27 nov. 2026 kl 15:14 skrev {A}:",
    "pe 27.11.2026 klo 15.14 Boop (boop@sat.example) kirjoitti:",
    f"pt., 27 lis 2026 o 15:14 {A} napisał(a):",
    f"pá 27. 11. 2026 v 15:14 odesílatel {A} napsal:",
    f"пт, 27 лист. 2026 р. о 15:14 {A} пише:",
    f"{A}, 27 Kas 2026 Cum, 15:14 tarihinde şunu yazdı:",
    f"2026년 11월 27일 (금) 오후 3:14, {A}님이 작성:",
    f"{A} 於 2026年11月27日 週五 下午3:14寫道：",
    f"Op vr 27 nov 2026 om 15:14 schreef {A}:",
    f"Il giorno ven 27 nov 2026 alle ore 15:14 {A} ha scritto:",
    "El vie, 27 nov 2026 a las 15:14, Boop (<boop@sat.example>) escribió:",
    f"{A} escreveu (sexta, 27/11/2026 à(s) 15:14):",
    f"Wiadomość napisana przez {A} w dniu 27.11.2026, o godz. 15:14:",
    f"Op 27 nov. 2026 om 15:14 heeft {A} het volgende geschreven:",
    f"{A} şunları yazdı (27 Kas 2026 15:14):",
    f"{A} kirjoitti 27.11.2026 kello 15.14:",
    f"2026. 11. 27. 오후 3:14, {A} 작성:",
    f"2026年11月27日 下午3:14，{A} 写道：",
    f"2026/11/27 15:14、{A}のメール:",
    f"{A} hat am 27.11.2026 15:14 CET geschrieben:",
    f"27 нояб. 2026 г., в 15:14, {A} написал(а):",
]
# These have no address: only the quote marks below make them what they are.
SHORT_ATTRIBUTIONS = [
    "W dniu 27.11.2026 o 15:14, Boop pisze:",
    "Dne 27. 11. 26 v 15:14 Boop napsal(a):",
    "27.11.2026 15:14, Boop пишет:",
    "27.11.2026 15:14 tarihinde Boop yazdı:",
    "在 2026/11/27 15:14, Boop 写道:",
    "26. 11. 27. 15:14에 Boop 이(가) 쓴 글:",
    "Den 2026-11-27 kl. 15:14, skrev Boop:",
    "On Fri, 27 Nov 2026, Boop wrote:",
    "Citando Boop:",
]


@pytest.mark.parametrize("line", [*ATTRIBUTIONS, *SHORT_ATTRIBUTIONS])
def test_folds_attributions_of_many_languages(line: str) -> None:
    assert own_words_of(f"Yes.\n\n{line}\n\n> When?\n> Where?\n") == "Yes."
    assert own_words_of(f"Yes.\n\n{line}\n> When?\n") == "Yes."


@pytest.mark.parametrize("line", ATTRIBUTIONS)
def test_folds_attributions_without_quote_marks_below(line: str) -> None:
    assert own_words_of(f"Yes.\n\n{line}\n\nWhen?\nWhere?\n") == "Yes."


# The labels of From, Date, To and Subject in Outlook and Apple's program.
LABELS = [
    "From Sent To Subject", "Von Gesendet An Betreff", "De Envoyé À Objet", "De Enviado Para Asunto",
    "De Enviada_em Para Assunto", "Da Inviato A Oggetto", "Van Verzonden Aan Onderwerp", "Fra Sendt Til Emne",
    "Från Skickat Till Ämne", "Lähettäjä Lähetetty Vastaanottaja Aihe", "Od Wysłano Do Temat",
    "Od Odesláno Komu Předmět", "От Отправлено Кому Тема", "Від Надіслано Кому Тема",
    "Kimden Gönderildi Kime Konu", "差出人 送信日時 宛先 件名", "发件人 发送时间 收件人 主题",
    "寄件者 寄件日期 收件者 主旨", "보낸_사람 보낸_날짜 받는_사람 제목", "Da Data A Oggetto", "De Fecha Para Asunto",
    "Från Datum Till Ämne", "Od Data Do Temat", "Kimden Tarih Kime Konu", "差出人 日付 宛先 件名",
]  # fmt: skip


@pytest.mark.parametrize("labels", LABELS)
@pytest.mark.parametrize("rule", ["", "_" * 32 + "\n"])
def test_folds_header_blocks_of_many_languages(labels: str, rule: str) -> None:
    values = ("Boop <boop@sat.example>", "27.11.2026 15:14", "Ann", "Tide")
    fields = zip(labels.split(), values, strict=True)
    block = "".join(f"{label.replace('_', ' ')}: {value}\n" for label, value in fields)
    assert own_words_of(f"Yes.\n\n{rule}{block}\nWhen?\n") == "Yes."


CLIENT_FOOTERS = [
    "Get Outlook for Android<https://aka.ms/AAb9ysg>", "Outlook für iOS beziehen", "Obtenez Outlook pour Android",
    "Obter o Outlook para Android", "Ottieni Outlook per iOS", "Outlook voor iOS downloaden", "Hent Outlook til iOS",
    "Skaff deg Outlook for iOS", "Lataa Outlook iOS:lle", "Uzyskaj aplikację Outlook dla systemu Android",
    "Získejte Outlook pro iOS", "Скачать Outlook для Android", "Завантажити Outlook для iOS",
    "Android için Outlook'u edinin", "Outlook for iOS を入手", "获取 Outlook for iOS", "取得 Outlook for iOS",
    "Android용 Outlook 받기", "Lähetetty Galaxy-laitteestani", "Galaxy'mden gönderildi", "從我的 Galaxy 傳送",
    "나의 Galaxy에서 보냄", "Enviado desde Yahoo Mail para iPhone", "Inviato da Yahoo Mail su Android",
    "Gesendet mit der WEB.DE Mail App", "Mit Proton Mail gesendet.",
    "Sent from my Android device with K-9 Mail. Please excuse my brevity.",
    "Envoyé de mon appareil Android avec Courriel K-9 Mail. Veuillez excuser ma brièveté.",
    "Gesendet mit FairEmail, freundlicher und quelloffener E-Mail-App für Android", "Odesláno z iPhonu",
    "Wysłane z iPhone'a", "Надіслано з iPhone", "发自我的iPhone", "Provenance : Courrier pour Windows",
    "Verzonden vanuit Mail voor Windows", "Windows 版のメールから送信", "從 Windows 版郵件傳送",
    "Windows용 메일에서 보냄",
    "ソフトバンクのスマートフォンから送信", "네이버 메일앱에서 보냈습니다.", "Отправлено из мобильной Яндекс Почты",
]  # fmt: skip


@pytest.mark.parametrize("footer", CLIENT_FOOTERS)
def test_folds_the_footers_of_programs(footer: str) -> None:
    assert own_words_of(f"Yes.\n\n{footer}\n") == "Yes."
    assert own_words_of(f"Yes.\n\n{footer}\n\n{ATTRIBUTIONS[0]}\n> When?\n") == "Yes."


def own_words_of(text: str, *, is_forward: bool = False) -> str:
    return " ".join(split_words(MarkedText(text), is_forward=is_forward).own.split())


def kinds_of(split: Split) -> set[SpanKind]:
    return {span.kind for span in split.spans if split.text[span.start : span.end].strip()}


@pytest.mark.parametrize(
    ("text", "own"),
    [
        (REPLY, "Yes, at six."),
        (HEADERS, "Yes."),
        ("Ja.\n\nAm 27.11.2026 um 15:14 schrieb Boop:\n> Wann?\n", "Ja."),
        ("Oui.\n\nLe ven. 27 nov. 2026 à 15:14, Boop <b@sat.example> a écrit :\n> Quand ?", "Oui."),
        ("Да.\n\nпт, 27 нояб. 2026 г. в 15:14, Boop <b@sat.example>:\n\n> Когда?\n", "Да."),
        ("はい。\n\n2026年11月27日(金) 15:14 Boop <b@sat.example>:\n\n> いつ？\n", "はい。"),
        ("好。\n\nBoop <b@sat.example> 于2026年11月27日周五 15:14写道：\n\n> 何时？\n", "好。"),
        ("Yes.\n\n-----Original Message-----\nFrom: Boop\nSubject: x\n\nWhen?\n", "Yes."),
        ("Yes.\n\nOriginal Message\nFrom: Boop\nSent: Friday\nSubject: x\n\nWhen?\n", "Yes."),
        (
            "Yes.\n\n---- On Fri, 27 Nov 2026 15:14:00 +0100 Boop <b@sat.example> wrote ---\n\nWhen?\n",
            "Yes.",
        ),
        (
            'Ja.\n\n-----"Boop" <b@sat.example> schrieb: -----\nAn: Ann\nVon: Boop\nDatum: Freitag\n\nWann?',
            "Ja.",
        ),
        ("Yes.\n\nQuoting Boop <b@sat.example>:\n\n> When?\n", "Yes."),
        ("Ja.\n\nZitat von Boop <b@sat.example>:\n\n> Wann?\n", "Ja."),
        (
            "Yes.\n\nSent from Mailspring (https://getmailspring.com/), the best free email app for work\n",
            "Yes.",
        ),
        ("Ja.\n\nVon Samsung Galaxy Smartphone gesendet\n", "Ja."),
        ("Yes.\n-- \nAnn\nHarbour office\n", "Yes."),
        ("Yes.\n\nSent from my iPhone\n", "Yes."),
        ("Ja.\n\nVon meinem iPhone gesendet\n", "Ja."),
        ("Hai.\n\niPhoneから送信\n", "Hai."),
        (
            "Yes.\n\nThis e-mail is confidential. If you are not the intended recipient,\nplease delete it.",
            "Yes.",
        ),
        ("Yes.\n_____________\nSea mailing list\nhttps://l.example/listinfo/sea\n", "Yes."),
        ("Best regards,\nAnn\nTel. +49 171 0000000\nwww.ann.example\n", "Best regards, Ann"),
        ("Yes [cid:image001.png@01D] indeed", "Yes indeed"),
        ("See the plan<https://t.example/click?x=1> please", "See the plan please"),
        ("https://example.org/plan", "https://example.org/plan"),
    ],
)
def test_folds_history_and_footers(text: str, own: str) -> None:
    assert own_words_of(text) == own


@pytest.mark.parametrize(
    "text",
    [
        "They were not sent. Here they are:-\n\nVisa\n\n4011 0000 1111 2222\n\n06/17",
        "From: Bergen\nTo: Oslo\nDate: Friday",
        "Please delete this message, I received it in error.",
        "My phone is broken.",
        "Von Oslo aus habe ich dir per Handy ein Bild gesendet.",
        "------\nAnn, 1.1.2026, 10:00\nAll well\n------\nAnn, 2.1.2026, 10:00\nStill well",
        "Regards to your mum\nCall 0171 1234567\nAnn",
        "Cheers,\nAnn\nMy new number is 0171 1234567",
        "Hi\n--\nwe come at 10\nwe leave at 12",
        "You are receiving this because I love you",
        "Ich bin im Hafen und wir warten. Sent from my iPhone",
        "Von meinem Handy aus geht es nicht.",
        "Outlook für Android geht bei mir nicht.",
        "Mit dem Handy habe ich dir ein Bild gesendet.",
        "Sent from the harbour office, excuse my brevity.",
        "Sent from my phone in the harbour. Excuse the delay, we come at ten and leave at noon.",
        "Outlook für Android kann ich nicht herunterladen",
        "Mit Proton Mail habe ich es dir gesendet",
        "네이버 메일로 보냄",
        "来自 Outlook 的邮件收不到",
        "私のiPhoneの写真を送信",
        "ソフトバンクの件、送信",
        "Verzonden vanuit Bergen, per telefoon",
        "Regards,\nAnn\nMeet me at Pier 3, 0047 Oslo, 10:00, 01.12.2026",
        "=ybegin is a strange word",
        "On Monday Tom wrote:\nthe berth is free.",
        "On 3 May at 10:00 we leave. Call me:\n+49 171 0000000",
        "How do I get to unsubscribe? Ask bob@example.net",
    ],
)
def test_keeps_words_that_look_like_a_footer_or_a_header(text: str) -> None:
    assert split_words(MarkedText(text)).own == text


def test_keeps_all_when_nothing_is_own() -> None:
    text = "> When?\n> Where?\n"
    assert split_words(MarkedText(text)).own == text


def test_keeps_the_text_of_a_forwarded_mail() -> None:
    text = "FYI\n\n---------- Forwarded message ---------\nFrom: Bob <b@x.example>\nSubject: Gale\n\nGale 8.\n"
    assert own_words_of(text) == "FYI Gale 8."


def test_keeps_the_text_of_a_forwarded_mail_that_is_quoted() -> None:
    text = "Begin forwarded message:\n\n> From: Bob <b@x.example>\n> Subject: Gale\n> To: Ann\n> \n> Gale 8.\n"
    assert own_words_of(text) == "From: Bob <b@x.example> Gale 8."


def test_follows_the_subject_of_a_forwarded_mail() -> None:
    assert own_words_of(HEADERS, is_forward=True) == "Yes. When?"


def test_keeps_a_typed_sign_in_a_mail_that_is_no_reply() -> None:
    text = "Press:\n> Menu\n> Routes\nThen restart."
    assert split_words(MarkedText(text), is_reply=False).own == text


def test_marks_the_questions_of_interleaved_answers() -> None:
    text = "Am 27.11.26 um 15:14 schrieb Boop:\n> Tide?\n\nUm elf.\n\n> Warten?\n\nNein.\n"
    split = split_words(MarkedText(text))
    assert split.text_of(SpanKind.ANSWERED) == "> Tide?\n> Warten?\n"


def test_a_single_answer_below_a_quotation_marks_no_question() -> None:
    split = split_words(MarkedText("> Tide?\n\nUm elf.\n"))
    assert kinds_of(split) == {SpanKind.QUOTE, SpanKind.OWN}


def test_folds_armour_and_its_dash_escapes() -> None:
    text = (
        "-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\nAnchor well.\n- - now\n"
        "-----BEGIN PGP SIGNATURE-----\n\niQEz\n=abcd\n-----END PGP SIGNATURE-----\n"
    )
    assert own_words_of(text) == "Anchor well. - now"


def test_folds_uuencoded_files() -> None:
    text = "A photo.\n\nbegin 644 photo.jpg\n#0V%T\n`\nend\n"
    split = split_words(MarkedText(text))
    assert split.own.strip() == "A photo."
    assert SpanKind.FILE in kinds_of(split)


@pytest.mark.parametrize("gap", ["", "\n"])
def test_folds_a_file_in_binhex(gap: str) -> None:
    data = (
        f'(This file must be converted with BinHex 4.0)\n{gap}:$f*TEQKPH#jdEhGMC5"66"3\n!9Q!!!!:\n'
    )
    split = split_words(MarkedText(f"The chart.\n\n{data}\nSee you at six: bring rope\n"))
    assert split.own.split() == ["The", "chart.", "See", "you", "at", "six:", "bring", "rope"]
    assert split.text_of(SpanKind.FILE) == data


@pytest.mark.parametrize(
    "text",
    [
        "(This file must be converted with BinHex 4.0)\n",
        "(This file must be converted with BinHex 4.0)\nsays the mail, and then nothing.\n",
        "(This file must be converted with BinHex 4.0)\n:$f*TEQ\nYes\n",
        "I know that this file must be converted with BinHex 4.0\n:abc:\n",
    ],
)
def test_keeps_words_about_binhex(text: str) -> None:
    assert split_words(MarkedText(text)).own == text


def test_a_sentence_with_begin_is_no_file() -> None:
    text = "begin 644 things now\nand then rest, however long this line is supposed to become in the end.\n"
    assert split_words(MarkedText(text)).own == text


PIECES = st.sampled_from(
    [
        *(
            "> ",
            ">> ",
            "\n",
            "\n\n",
            "-- \n",
            "--\n",
            "From: a@b\n",
            "Sent: x\n",
            "Subject: y\n",
            "To: z\n",
        ),
        *("On 1 Jan 2026 10:00 <a@b> wrote:\n", "wrote:", "Sent from my iPhone\n", "_______\n"),
        *(
            "---------- Forwarded message ---------\n",
            "-----Original Message-----\n",
            "begin 644 a\n",
            "end\n",
        ),
        *(
            "-----BEGIN PGP MESSAGE-----\n",
            "-----BEGIN PGP SIGNED MESSAGE-----\n",
            "=ybegin \n",
            "- ",
            "[cid:x]",
        ),
        *(
            "<http://x>",
            "confidential this e-mail intended recipient\n",
            "words ",
            "Regards\nAnn\n+49 1234567\n",
        ),
    ]
)


@given(
    st.lists(st.one_of(PIECES, st.text(max_size=12)), max_size=40).map("".join),
    st.booleans(),
    st.booleans(),
)
def test_spans_cover_the_text(text: str, is_forward: bool, is_reply: bool) -> None:
    split = split_words(MarkedText(text), is_forward=is_forward, is_reply=is_reply)
    at = 0
    for span in split.spans:
        assert span.start == at < span.end
        at = span.end
    assert at == len(text)
    assert len(split.own) + len(split.rest) == len(text)
    assert sorted(split.own + split.rest) == sorted(text)


@given(
    st.text(max_size=200).filter(
        lambda text: ">" not in text and ":" not in text and "@" not in text
    )
)
def test_words_without_marks_of_a_program_are_own(text: str) -> None:
    assert split_words(MarkedText("Hello\n" + text)).own.startswith("Hello\n")


TICKET = (
    "##- Please type your reply above this line -##\n\nYour request (1) has been updated.\n\n"
    "----------------\n\nMarta, Nov 27, 2026, 15:14 GMT+1\n\nSwitch it off.\n\n"
    "----------------\n\nBoop, Nov 27, 2026, 12:02 GMT+1\n\nNo fix.\n\n[K7Q2MZ-4X9P1]\n"
)


def test_shows_the_newest_entry_of_a_ticket() -> None:
    assert own_words_of(TICKET) == "Switch it off."
    only = TICKET.partition("----------------\n\nBoop")[0] + "[K7Q2MZ-4X9P1]\n"
    assert own_words_of(only) == "Switch it off."


def test_keeps_answers_in_colour_with_their_questions() -> None:
    header = "From: Boop <b@x.y>\nSent: Friday\nTo: Ann\nSubject: x"
    text = f"Answers in red below.\n\n{header}\n\nPaid?\nYes.\nWhen?\nAt ten.\n"
    marks = tuple(
        Mark(SpanKind.OWN, text.index(words), text.index(words) + len(words))
        for words in ("Yes.", "At ten.")
    )
    split = split_words(MarkedText(text, marks))
    assert split.text_of(SpanKind.ANSWERED).split() == ["Paid?", "When?"]
    assert split.own.split() == ["Answers", "in", "red", "below.", "Yes.", "At", "ten."]
    # Without colours nothing tells answers from history.
    assert "Paid?" in split_words(MarkedText(text)).own


def test_an_answer_keeps_the_sentence_that_begins_a_quoted_line() -> None:
    text = (
        "Il 21/06/25, Ginevra ha scritto:\n> Siamo al bivacco.\n> A che ora apre\n> il rifugio?\n\nAlle 6.\n\n"
        "> Neve?\n\nPoca."
    )
    words = own_words(MarkedText(text)).text.split()
    assert " ".join(words) == "> A che ora apre il rifugio? Alle 6. > Neve? Poca."


@pytest.mark.parametrize(
    "history",
    [
        "14 Haz Cmt 2025, 10:03 tarihinde, Emre (uydu)<emre@sat.example> şunu yazdı: Kaş'tayız.",
        "2025年6月14日(土) 10:03、Emre <emre@sat.example> が書きました: 着きました。",
    ],
)
def test_history_behind_an_attribution_that_begins_with_a_date_is_folded(history: str) -> None:
    assert own_words_of(f"Geliyoruz.\n\n{history}") == "Geliyoruz."


@pytest.mark.parametrize(
    "text",
    [
        "14 June 2025, 10:03: call bob@x.example.",
        "2 boats, 3 crew, 1 dog: write to Tom <tom@x.example> by 10:30",
        "14.6.2025 10:03 Tom <tom@x.example> will be there: bring rope",
    ],
)
def test_own_lines_that_begin_with_a_date_stay(text: str) -> None:
    assert own_words_of(text) == text
