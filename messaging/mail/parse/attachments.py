"""Names the files that a mail contains in plain words. Pure."""

from collections.abc import Mapping
from typing import Final

_KIND_OF_MAJOR: Final = {"image": "picture", "audio": "recording", "video": "video"}
_PICTURES: Final = frozenset(
    ("jpg", "jpeg", "png", "gif", "heic", "heif", "webp", "bmp", "tif", "tiff", "svg")
)
_RECORDINGS: Final = frozenset(("mp3", "m4a", "ogg", "opus", "wav", "amr", "aac", "flac"))
_VIDEOS: Final = frozenset(("mp4", "mov", "avi", "mkv", "webm", "3gp", "mpg", "mpeg"))
# Parts for programs only: a person misses nothing without them.
_FOR_PROGRAMS: Final = frozenset(
    (
        "application/pgp-signature",
        "application/pkcs7-signature",
        "application/x-pkcs7-signature",
        "application/pgp-encrypted",
        "application/pgp-keys",
        "application/applefile",
        "message/delivery-status",
        "message/disposition-notification",
        "message/global-delivery-status",
        "message/global-disposition-notification",
        "message/global-headers",
        "text/rfc822-headers",
    )
)
_ENCRYPTED: Final = frozenset(("application/pkcs7-mime", "application/x-pkcs7-mime"))
_PLURALS: Final = {
    "picture": "pictures",
    "recording": "recordings",
    "video": "videos",
    "document": "documents",
    "encrypted text": "encrypted texts",
    "mail": "mails",
    "Outlook file": "Outlook files",
}


def kind_of(content_type: str, filename: str) -> str | None:
    """Return the kind of a part as a person would call it, None for a part for programs only."""
    if content_type in _FOR_PROGRAMS:
        return None
    if content_type in _ENCRYPTED:
        return "encrypted text"
    major = content_type.partition("/")[0]
    if kind := _KIND_OF_MAJOR.get(major):
        return kind
    extension = filename.rpartition(".")[2].lower()
    if extension in _PICTURES:
        return "picture"
    if extension in _RECORDINGS:
        return "recording"
    return "video" if extension in _VIDEOS else "document"


def describe_counts(counts: Mapping[str, int]) -> tuple[str, ...]:
    """Return "2 pictures", "1 document" and so on, always in the same order."""
    if not counts:
        return ()
    found = [(counts[kind], kind, plural) for kind, plural in _PLURALS.items() if kind in counts]
    return tuple(
        f"{count} {kind if count == 1 else plural}" for count, kind, plural in found if count
    )
