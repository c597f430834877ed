"""Describes an invitation in words: the event, its times and its place. Pure."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from messaging.model.invitation import EventTime, Invitation
from messaging.model.locale import Locale
from messaging.words.device.phrases import translate

_HEADINGS: Final = {"CANCEL": "Cancelled", "REPLY": "Answer", "COUNTER": "Proposal"}


def describe(invitation: Invitation, locale: Locale | None = None) -> list[str]:
    """Return a line for each fact, in the language and with the times in the zone of the reader: else English, UTC."""
    locale = locale or Locale()
    heading = translate(_HEADINGS.get(invitation.method, "Invitation"), locale.language)
    lines = [f"{heading}: {invitation.summary}" if invitation.summary else heading]
    return lines + [line for line in (_times(invitation, locale), invitation.place) if line]


def is_told_by(invitation: Invitation, text: str) -> bool:
    """Whether a text says the same already, by its title or its place."""
    folded = " ".join(text.casefold().split())
    words = (invitation.summary, invitation.place)
    return any(word and word.casefold() in folded for word in words)


def localise(text: str, invitation: Invitation, locale: Locale) -> str:
    """Return a text with its English description of the invitation in the language and the zone of the reader."""
    for line, local in zip(describe(invitation), describe(invitation, locale), strict=True):
        text = text.replace(line, local, 1)
    return text


def _times(invitation: Invitation, locale: Locale) -> str:
    last = invitation.end
    # An event of whole days ends with the day before (RFC 5545 section 3.6.1).
    if last is not None and last.is_day and last.time > datetime.min:
        last = replace(last, time=last.time - timedelta(days=1))
    start, start_zone = _in_words(invitation.start, locale)
    end, end_zone = _in_words(last, locale)
    if not (start and end):
        return f"{start} {start_zone}".rstrip()
    # On the same day only the hour of the end is news.
    if end[:10] == start[:10]:
        end = end[11:]
        times = f"{start} - {end}" if end else start
        return f"{times} {start_zone or end_zone}".rstrip()
    if start_zone == end_zone:
        return f"{start} - {end} {end_zone}".rstrip()
    return f"{start} {start_zone}".rstrip() + f" - {end} {end_zone}".rstrip()


def _in_words(time: EventTime | None, locale: Locale) -> tuple[str, str]:
    """Return `2026-12-01 12:00` and the short name of its zone."""
    if time is None:
        return "", ""
    if time.is_day:
        return time.time.isoformat()[:10], ""
    if time.time.tzinfo is None:
        return time.time.isoformat(" ")[:16], time.zone_name
    try:
        local = time.time.astimezone(locale.zone)
    except OverflowError:  # the first and the last day of all
        local = time.time
    zone = local.tzname() or ""
    return local.isoformat(" ")[:16], f"UTC{zone}" if zone.startswith(("+", "-")) else zone
