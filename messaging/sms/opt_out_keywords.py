"""The words by which a phone opts out, opts in or asks for help.

The default keywords of North American carriers, as in Twilio's opt-out documentation, and the usual words of other
languages. They count only when they are the whole message, in any case.
"""

import unicodedata
from enum import Enum


class Keyword(Enum):
    """The wish of the sender of a keyword."""

    STOP = "stop"
    START = "start"
    HELP = "help"


_STOP = frozenset((
    "STOP", "STOPALL", "STOPP", "STOPPEN", "UNSUBSCRIBE", "END", "QUIT", "CANCEL", "REVOKE", "OPTOUT", "ARRET",
    "ARRÊT", "ARRÊTER", "ARRETER", "DESABONNER", "DÉSABONNER", "DÉSINSCRIRE", "ABMELDEN", "ABBESTELLEN", "BAJA",
    "DESUSCRIBIR", "CANCELARSUSCRIPCION", "SAIR", "DESCADASTRAR", "DISISCRIVI", "DISISCRIVIMI", "AFMELDEN", "AFMELD",
    "FRAMELD", "AVREGISTRERA", "PERUUTATILAUS", "WYPISZ", "ODHLASIT", "ODHLÁSIT", "СТОП", "ОТПИСАТЬСЯ", "ВІДПИСАТИСЯ",
    "AUSTRAGEN", "DARSEDEBAJA", "DARDEBAJA", "CANCELAR", "PARAR", "CANCELARINSCRIÇÃO", "CANCELARINSCRICAO",
    "CANCELLAMI", "ANNULLAISCRIZIONE", "UITSCHRIJVEN", "AVSLUTA", "PERUUTA", "LOPETA", "WYPISZMNIE", "REZYGNUJĘ",
    "REZYGNUJE", "ОТПИСКА", "STOPSMS", "STOPPUB", "STOPALLMESSAGES", "REMOVEME", "TD", "TD退订", "ÇIKIŞ",
    "수신거부요청",
    "IPTAL", "İPTAL", "ストップ", "停止", "配信停止", "退订", "退訂", "取消订阅", "取消訂閱", "수신거부", "중지",
))  # fmt: skip
_START = frozenset(("START", "YES", "UNSTOP", "OPTIN", "SUBSCRIBE"))
# Providers answer these words alone; any other call for help is for the person.
_HELP = frozenset(("HELP", "INFO"))
_MAX_CHARACTERS = 40


def keyword(text: str) -> Keyword | None:
    """Return the keyword that the whole of `text` is, or None when it is an ordinary text.

    Only the characters of words count, those of full width too: `STOP ALL`, `opt-out!`, `*stop*`.
    """
    if text.strip().upper() in _HELP:
        return Keyword.HELP
    word = _word_of(text)
    if word in _STOP:
        return Keyword.STOP
    return Keyword.START if word in _START else None


def is_everyday_answer(text: str) -> bool:
    """Return whether this opt-in word also answers everyday questions, so that it must still be delivered."""
    return _word_of(text) == "YES"


def _word_of(text: str) -> str:
    """Return the characters of a short text that make words, in capitals."""
    if len(text) > _MAX_CHARACTERS:
        return ""
    return "".join(filter(str.isalnum, unicodedata.normalize("NFKC", text).upper()))
