"""Knows the lines by which programs and devices advertise themselves. Pure, in linear time."""

import re
from collections.abc import Iterable
from typing import Final

from messaging.words.phrases import (
    CLIENTS,
    DEVICES,
    FOOTER_APOLOGIES,
    FOOTER_BEGINNINGS,
    FOOTER_FRAMES,
    GET_BEFORE,
    GET_BEHIND,
    PLATFORMS,
)

MAX_FOOTER_CHARS: Final = 80
MAX_APOLOGY_CHARS: Final = 45
MIN_FOOTER_CHARS: Final = 5
MIN_GET_CHARS: Final = 10
MAX_PLAIN_FOOTER_CHARS: Final = 60
BULLETS: Final = "*_-–—[](){}<>|~ \u2063"
_FRAME_ENDS: Final = tuple({end for _, end in FOOTER_FRAMES})
_ADDRESS: Final = re.compile(r"[<(] ?https?://[^<>()]{0,300}[>)]?")
STAMP_BEGINNINGS: Final = ("sent on", "gesendet am", "envoyé le", "enviado el", "inviato il")
# `Sent on November 27, 2026 10:11:00 AM CET`: people leave out the seconds.
_STAMP: Final = re.compile(
    rf"(?:{'|'.join(STAMP_BEGINNINGS)}) [^:]{{6,30}} \d{{1,2}}:\d\d:\d\d[\w +:]{{0,12}}"
)
# A line that asks or announces is one of the author.
_NO_FOOTER_ENDS: Final = (",", "，", "、", "?", "？", ":", "：", "…", "...")


def _any_of(phrases: Iterable[str]) -> str:
    return "|".join(map(re.escape, sorted(phrases, key=len, reverse=True)))


_CLIENT: Final = (
    r"(?:(?:the|die|die app|o|la aplicación|o aplicativo|de app|program|aplikację|aplikaci|приложение|"
    r"застосунок|додаток|microsoft) |l['’](?:application )?)?"
    rf"(?:{_any_of(CLIENTS)})(?:[ -]app| ?アプリ)?"
)
_PLATFORM: Final = rf"(?:{_any_of(PLATFORMS)})(?:[ /,&]{{1,3}}(?:{_any_of(PLATFORMS)}))?"
# `Get BlueMail for Android`, `Hent BlueMail til Android`; a sentence goes on behind it.
_GET_FIRST: Final = re.compile(
    rf"(?:{_any_of(GET_BEFORE)}) ?{_CLIENT} (?:for|für|pour|para|per|voor|til|till|för|dla|dla systemu|pro|для|"
    rf"pentru|για|за|untuk|на|na|på|su|sur|on|op|auf) {_PLATFORM}(?: herunter)?"
)
# `BlueMail für Android herunterladen`, `Outlook for iOS を入手`
_GET_LAST: Final = re.compile(
    rf"{_CLIENT} (?:for|für|voor|til|för) {_PLATFORM} ?(?:{_any_of(GET_BEHIND)})"
)
# `Android için BlueMail'i edinin`, `Android용 BlueMail 받기`, `iOS 用の Outlook を入手`
_PLATFORM_FIRST: Final = re.compile(
    rf"{_PLATFORM} ?(?:için|용|用の?|版の?) ?{_CLIENT}(?:['’]\w{{1,3}})? ?(?:{_any_of(GET_BEHIND)})"
)
# `下载 Android 版 BlueMail`, `Lataa BlueMail Androidille`
_PLATFORM_WITHIN: Final = re.compile(
    rf"(?:{_any_of(GET_BEFORE)}) ?(?:{_PLATFORM} ?版的? ?{_CLIENT}|{_CLIENT} {_PLATFORM}(?::lle|ille|:ille))"
)
_GET_PATTERNS: Final = (_GET_FIRST, _GET_LAST, _PLATFORM_FIRST, _PLATFORM_WITHIN)


def is_client_footer(words: str) -> bool:
    """Whether a line is an advertisement of the author's device or program."""
    folded = words.casefold().strip(BULLETS)
    if "http" in folded:  # the address behind `Outlook` does not count
        folded = " ".join(_ADDRESS.sub(" ", folded).split()).strip(BULLETS)
    sentence, stop, more = folded.partition(". ")
    if stop and len(more) <= MAX_APOLOGY_CHARS and any(map(more.__contains__, FOOTER_APOLOGIES)):
        folded = sentence
    if not MIN_FOOTER_CHARS <= len(folded) <= MAX_FOOTER_CHARS or folded.endswith(_NO_FOOTER_ENDS):
        return False
    if _STAMP.fullmatch(folded):
        return True
    is_footer = len(folded) <= MAX_PLAIN_FOOTER_CHARS and folded.startswith(FOOTER_BEGINNINGS)
    core = folded.rstrip(".!。 ")
    if not is_footer:
        is_footer = core.endswith(_FRAME_ENDS) and any(
            folded.startswith(begin) and core.endswith(end) for begin, end in FOOTER_FRAMES
        )
    if is_footer and any(map(folded.__contains__, DEVICES)):
        return True
    may_get = len(core) >= MIN_GET_CHARS and any(map(core.__contains__, PLATFORMS))
    return may_get and any(pattern.fullmatch(core) for pattern in _GET_PATTERNS)
