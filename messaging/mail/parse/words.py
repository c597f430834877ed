"""Reads the own words of a mail from its bytes. Pure, and bounded in time and memory like all of the parser."""

from messaging.mail.parse.header import author_of, display_name_of, signing_name_of, subject_of
from messaging.mail.parse.mail import read_words
from messaging.mail.parse.parts import part_of
from messaging.words.own_words import OwnWords


def words_of_mail(data: bytes, max_text_chars: int = 20_000) -> OwnWords:
    """Return the own words of a mail, of whose text at most `max_text_chars` characters are read. Never raises."""
    mail = part_of(data)
    author = author_of(mail)
    name = signing_name_of(author, display_name_of(mail, author))
    return read_words(mail, subject_of(mail), max_text_chars, author=name, address=author)[1]
