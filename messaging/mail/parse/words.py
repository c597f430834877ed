"""Reads the own words of a mail from its bytes. Pure, and bounded in time and memory like all of the parser."""

from messaging.mail.parse.mail import TextReader, subject_of
from messaging.mail.parse.parts import part_of
from messaging.words.html import read_html
from messaging.words.own_words import OwnWords, own_words


def words_of_mail(data: bytes, max_text_chars: int = 20_000) -> OwnWords:
    """Return the own words of a mail, of whose text at most `max_text_chars` characters are read. Never raises."""
    mail = part_of(data)
    reader = TextReader(max_text_chars + 1, read_html)
    is_reply = b"in-reply-to" in mail.fields or b"references" in mail.fields
    return own_words(reader.read(mail, 0), subject_of(mail), is_reply=is_reply)
