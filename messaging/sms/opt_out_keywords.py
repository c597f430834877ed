"""The words by which a phone opts out, opts in or asks for help.

The default keywords of North American carriers, as in Twilio's opt-out documentation, and the usual words of other
languages. They count only when they are the whole message. Case, accents, width, punctuation, emoji and blanks do not.
"""

import unicodedata
from enum import Enum
from typing import Final


class Keyword(Enum):
    """The wish of the sender of a keyword."""

    STOP = "stop"
    START = "start"
    HELP = "help"


_MAX_CHARACTERS: Final = 40


def _fold(text: str) -> str:
    """Return the letters and digits of a text, without case, accents and width."""
    apart = unicodedata.normalize("NFKD", text)
    folded = unicodedata.normalize("NFKD", apart.casefold())
    return "".join(one for one in folded if one.isalnum())


def _words(text: str) -> frozenset[str]:
    return frozenset(map(_fold, text.split()))


_STOP: Final = _words("""
    DARSEDEBAJA DARDEBAJA CANCELARINSCRICAO PERUUTA WYPISZMNIE STOPPUB STOPALLMESSAGES TD TD退订 ÇIKIŞ 수신거부요청
    STOP STOPALL STOPP STOPPA STOPPAA STOPPEN STOPPER STOPSMS STOPTEXT SMSSTOP RUKSTOP UNSUBSCRIBE UNSUBSCRIBEME
    UNSUB END QUIT CANCEL REVOKE OPTOUT REMOVE REMOVEME ARRET ARRETER ARRETEZ DESABONNER DESABONNEMENT DESINSCRIRE
    DESINSCRIPTION ABMELDEN ABMELDUNG ABBESTELLEN ABBESTELLUNG AUSTRAGEN BAJA ALTO PARAR PARE DETENER DESUSCRIBIR
    DESUSCRIBIRSE CANCELAR CANCELARSUSCRIPCION SAIR DESCADASTRAR ANULARSUBSCRICAO DISISCRIVI DISISCRIVIMI
    ANNULLAISCRIZIONE CANCELLAMI AFMELDEN AFMELD AFMELDING UITSCHRIJVEN FRAMELD AFMELDT AVMELD AVREGISTRERA AVSLUTA
    AVSLUTAPRENUMERATION PERUUTATILAUS PERUTILAUS LOPETA WYPISZ REZYGNUJE ODHLASIT ZRUSIT СТОП СТОПСМС ОТПИСАТЬСЯ
    ОТПИСКА ОТМЕНИТЬПОДПИСКУ ВІДПИСАТИСЯ ВІДПИСКА IPTAL İPTAL ABONELIKTENCIK ストップ 停止 配信停止 登録解除 退订
    退訂 取消订阅 取消訂閱 拒收 수신거부 중지 스톱
""")  # fmt: skip
# A word of carriers is for the gateway alone; a text of any other of these words may also answer a question.
_START_OF_CARRIERS: Final = _words("START UNSTOP OPTIN SUBSCRIBE")
_START: Final = _START_OF_CARRIERS | _words("""
    YES RESTART RESUBSCRIBE INICIAR COMENZAR INICIO ALTA DEBUT DEMARRER REPRENDRE ANMELDEN AANMELDEN INIZIA
    ISCRIVIMI TILMELD STARTA ALOITA СТАРТ ПОДПИСАТЬСЯ ПІДПИСАТИСЯ BASLAT BAŞLAT スタート 開始 再開 開始配信 开始
    訂閱 订阅 시작
""")  # fmt: skip
_HELP: Final = _words("""
    HELP HELPME INFO INFORMATION AIDE HILFE AYUDA AJUDA AIUTO HJALP HJÆLP HJELP APUA POMOC ПОМОЩЬ ПОМОГИТЕ ДОПОМОГА
    YARDIM ヘルプ 帮助 幫助 도움말 도움
""")  # fmt: skip
# Carriers answer these words alone.
_ANSWERED: Final = frozenset(("HELP", "INFO"))


def keyword(text: str) -> Keyword | None:
    """Return the keyword that the whole of `text` is, or None when it is an ordinary text.

    Neither punctuation and emoji around the word nor blanks and dashes within it count: `STOP ALL`, `opt-out!`.
    """
    if len(text) > _MAX_CHARACTERS:
        return None
    word = _fold(text)
    if word in _STOP:
        return Keyword.STOP
    if word in _START:
        return Keyword.START
    return Keyword.HELP if word in _HELP else None


def is_answered_help(text: str) -> bool:
    """Return whether carriers answer this text: any other call for help is for the person."""
    return text.strip().upper() in _ANSWERED


def is_everyday_answer(text: str) -> bool:
    """Return whether this opt-in word also answers everyday questions, so that it must still be delivered."""
    word = _fold(text)
    return word in _START and word not in _START_OF_CARRIERS
