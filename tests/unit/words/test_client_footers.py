"""Advertisements of programs and devices, below the words of an author and between them."""

import pytest

from messaging.words.footers.client import is_client_footer
from messaging.words.spans import MarkedText, SpanKind
from messaging.words.split import split_words


def own_words_of(text: str) -> str:
    return " ".join(split_words(MarkedText(text)).own.split())


# The footer of Apple's program, or a like one, in each language.
DEVICE_FOOTERS = [
    "Sent from my iPhone", "Von meinem iPhone gesendet", "Envoyé de mon iPad", "Enviado desde mi iPhone",
    "Enviado do meu iPhone", "Inviato da iPhone", "Verstuurd vanaf mijn iPad", "Sendt fra min iPhone",
    "Sendt fra min iPad", "Skickat från min iPhone", "Lähetetty iPhonesta", "Wysłane z iPhone'a",
    "Odesláno z iPhonu", "Отправлено с iPhone", "Надіслано з iPhone", "iPhone'umdan gönderildi",
    "iPhoneから送信", "发自我的iPhone", "나의 iPhone에서 보냄", "Envoyé depuis mon téléphone Orange",
    "Gesendet mit der GMX Mail App", "Enviado desde mi Samsung Galaxy",
]  # fmt: skip


@pytest.mark.parametrize("footer", DEVICE_FOOTERS)
def test_folds_a_footer_between_own_words_alone(footer: str) -> None:
    assert own_words_of(f"We come.\n\n{footer}\n\nBring rope.\n") == "We come. Bring rope."
    quoted = "On 3 Jun 2024 10:11 Boop <b@sat.example> wrote:\n> When?\n"
    text = f"We come.\nAt ten.\n\n{footer}\n\nBring rope.\nAnn\n\n{quoted}"
    assert own_words_of(text) == "We come. At ten. Bring rope. Ann"


def test_folds_a_footer_above_own_words() -> None:
    split = split_words(MarkedText("\n\nSent from my iPhone\n\nBring rope.\n"))
    assert split.own.strip() == "Bring rope."
    assert split.text_of(SpanKind.CLIENT_FOOTER) == "Sent from my iPhone\n"


@pytest.mark.parametrize(
    "text",
    [
        "We come.\nSent from my iPhone\nas it has the only chart.\n\nBring rope.",
        "The photo was\n\nSent from my phone, did it arrive?\n\nBring rope.",
        "Envoyé de mon iPhone ?\n\nNon, du bateau.",
        "Gesendet von meinem Handy:\n\nDrei Bilder.",
        "Skickat från min telefon…\n\nMer kommer.",
        "Here is how it looks:\n\nWe are sent from Outlook to Gmail and back\n\nStrange.",
    ],
)
def test_keeps_lines_between_own_words_that_are_no_footer(text: str) -> None:
    assert split_words(MarkedText(text)).own == text


GET_FOOTERS = [
    "Get BlueMail for Android", "Get Outlook for Mac<https://aka.ms/x>", "Download Spark for iOS",
    "Holen Sie sich BlueMail für Android", "BlueMail für iOS herunterladen", "Hol dir GMX Mail für iPhone",
    "Téléchargez BlueMail pour Android", "Télécharger K-9 Mail pour Android", "Obtenez l’application Outlook pour iOS",
    "Obtener BlueMail para Android", "Descarga Spark para iPhone", "Obter o BlueMail para Android",
    "Baixe o Outlook para iOS", "Ottieni BlueMail per Android", "Scarica Libero Mail per Android",
    "Download BlueMail voor Android", "BlueMail voor iOS downloaden", "Hent BlueMail til iOS", "Få Outlook til Android",
    "Skaff deg BlueMail for Android", "Last ned Outlook for iOS", "Skaffa BlueMail för Android",
    "Hämta Aqua Mail för Android", "Hanki BlueMail Androidille", "Lataa Outlook iOS:lle",
    "Pobierz BlueMail dla systemu Android", "Uzyskaj aplikację BlueMail dla iOS", "Stáhněte si BlueMail pro Android",
    "Získat aplikaci Outlook pro iOS", "Скачать BlueMail для Android", "Получите Яндекс Почту для iOS",
    "Завантажте BlueMail для Android", "Отримати Outlook для iOS", "Android için BlueMail'i edinin",
    "iOS için Outlook'u indirin", "BlueMail for Android を入手", "iOS 用の Outlook を入手",
    "Android版BlueMailをダウンロード",
    "获取 BlueMail for Android", "下载 Android 版 Outlook", "取得 BlueMail for iOS", "Android용 BlueMail 다운로드",
    "iOS용 Outlook 받기", "\u2063Get BlueMail for Android/iOS\u200b", "[Get TypeApp for Android](https://x.example/a)",
]  # fmt: skip


@pytest.mark.parametrize("footer", GET_FOOTERS)
def test_folds_the_advice_to_get_a_program(footer: str) -> None:
    assert own_words_of(f"We come.\n\n{footer}\n") == "We come."
    assert own_words_of(f"We come.\n\n{footer}\n\nBring rope.\n") == "We come. Bring rope."


@pytest.mark.parametrize(
    "line",
    [
        "Get Outlook to send you the file",
        "Get Outlook for iOS, it works offshore",
        "Get rope for Android Bay",
        "Get BlueMail",
        "Get a new sail for Windows of Spring",
        "Did you get Outlook for iOS?",
        "Outlook für Android geht nicht",
        "Hol dir das neue Thunderbird",
        "Holen Sie sich die Karten für Android ab",
        "Téléchargez la carte pour Android",
        "Télécharger Outlook est interdit à bord",
        "Descarga el mapa para iPhone",
        "Baixe o arquivo para iOS",
        "Ottieni il permesso per Malta",
        "Hent Outlook til mig",
        "Hent bogen til Android",
        "Skaffa Outlook till chefen",
        "Pobierz mapę dla Android",
        "Скачать карту для Android",
        "Завантажити Outlook не вдалося",
        "Android için harita edinin",
        "Outlook を入手できない",
        "下载 Android 版 地图",
        "Android용 지도 받기",
        "Lataa kartta Androidille",
    ],
)
def test_keeps_sentences_about_programs(line: str) -> None:
    assert not is_client_footer(line)
    text = f"We come.\n\n{line}\n\nBring rope.\n\n{line}"
    assert split_words(MarkedText(text)).own == text
