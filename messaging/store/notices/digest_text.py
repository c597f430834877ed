"""Writes the mails to subscribers: the digest of held messages, and the one that asks to confirm a mailbox. Pure."""

import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from messaging.model.locale import Locale
from messaging.store.admission.bursts import REASONS
from messaging.store.admission.terms import Hold
from messaging.store.budgets.warnings import BudgetWarning
from messaging.store.notices.mail_phrases import translate_mail
from messaging.words.invisible import one_line, remove_invisible

MAX_SUBJECT_CHARACTERS: Final = 100
MAX_WORDS_CHARACTERS: Final = 160
_INDENT: Final = "   "
_WHY: Final = {
    Hold.STRANGER.value: "the author is no contact",
    Hold.UNPROVED.value: "the author is not proved well enough",
    Hold.BULK.value: "it is from a list or a program",
    Hold.SPAM.value: "a relay marked it as spam",
}

Link = Callable[[str], str] | None
"""Returns the URL of the page about a held message, by its id; None where there are no public pages."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldEntry:
    """A held message in a digest. `hold` and `reason` say why it is held."""

    message_id: str
    author: str
    level: str
    hold: str
    reason: str
    received_at: datetime
    held_until: datetime
    display_name: str = ""
    subject: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class BulkEntry:
    """The held messages of one list, program or author of spam; id and subject are those of the last."""

    message_id: str
    author: str
    number: int
    subject: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Digest:
    """The held messages that one mail names.

    `others` counts those of single authors that it has no room for, `bulk_number` all of lists and programs.
    `earlier` counts those that earlier digests named, of which the first expires at `earlier_end`. `over_budget`
    counts those that a budget holds since the last one, and `warnings` are of budgets that reached a further share.
    """

    owner: str
    mail_domain: str
    entries: Sequence[HeldEntry] = field(default_factory=tuple)
    others: int = 0
    bulk: Sequence[BulkEntry] = field(default_factory=tuple)
    bulk_number: int = 0
    earlier: int = 0
    earlier_end: datetime | None = None
    over_budget: int = 0
    warnings: Sequence[BudgetWarning] = field(default_factory=tuple)

    @property
    def is_empty(self) -> bool:
        """Whether there is no news."""
        return not (self.number or self.over_budget or self.warnings)

    @property
    def number(self) -> int:
        """How many messages it is about, without those of earlier ones."""
        return len(self.entries) + self.others + self.bulk_number


def digest_subject(digest: Digest, language: str) -> str:
    """Return the subject of the mail."""
    if not digest.number:
        return translate_mail("Your budgets", language)
    if digest.number == 1:
        return translate_mail("1 message waits for your decision", language)
    return translate_mail(
        "{number} messages wait for your decision", language, number=digest.number
    )


def digest_text(digest: Digest, locale: Locale, link: Link, stop_url: str) -> str:
    """Return the text of the mail; without links it names commands."""
    language = locale.language
    mailbox = f"{digest.owner}@{digest.mail_domain}"
    heading = "These messages to {mailbox} are held. They cost nothing until you release them."
    blocks = [translate_mail(heading, language, mailbox=mailbox)] if digest.number else []
    for number, entry in enumerate(digest.entries, 1):
        blocks.append("\n".join(_entry_lines(number, entry, digest.owner, locale, link)))
    if digest.others:
        more = "{number} more are held; these commands list and release them all:"
        commands = ["list --state held --user", "release --user"]
        owner = shlex.quote(digest.owner)
        lines = [f"{_INDENT}satbridge messages {one} {owner}" for one in commands]
        more = translate_mail(more, language, number=digest.others)
        blocks.append("\n".join([more, *lines]))
    if digest.bulk_number:
        blocks.append("\n".join(_bulk_lines(digest, language, link)))
    if digest.earlier and digest.earlier_end:
        earlier = (
            "{number} that earlier mails named are still held; the first of them expires at {end}."
        )
        end = _moment(digest.earlier_end, locale)
        blocks.append(translate_mail(earlier, language, number=digest.earlier, end=end))
    if digest.over_budget or digest.warnings:
        blocks.append("\n".join(_budget_lines(digest, language)))
    blocks.append(_stop_text(digest.owner, language, stop_url))
    blocks.append(
        translate_mail("This is an automated message; replies are not monitored.", language)
    )
    return "\n\n".join(blocks)


def code_text(mailbox: str, code: str, end: datetime, locale: Locale, url: str) -> str:
    """Return the text of the mail that asks to confirm a mailbox; `url` is empty where there are no public pages."""
    language, owner = locale.language, mailbox.partition("@")[0]
    about = "This mailbox is to hear of messages that are held for {mailbox}: by one mail a day at most."
    page = "To confirm it, open this page and press the button:"
    command = "An operator of the gateway can confirm it by this command:"
    end_of_it = "The code ends at {end}. If you did not ask for this, do nothing."
    blocks = [
        translate_mail(about, language, mailbox=mailbox),
        *([f"{translate_mail(page, language)}\n{url}"] if url else []),
        f"{translate_mail(command, language)}\nsatbridge users confirm {shlex.quote(owner)} {code}",
        translate_mail(end_of_it, language, end=_moment(end, locale)),
    ]
    return "\n\n".join(blocks)


def _entry_lines(
    number: int, entry: HeldEntry, owner: str, locale: Locale, link: Link
) -> list[str]:
    language = locale.language
    name = _quote(entry.display_name, MAX_SUBJECT_CHARACTERS)
    who = f"{name} <{entry.author}>" if name else entry.author
    level = translate_mail(entry.level, language) if entry.level else ""
    why = _reason_of(entry, language)
    held = "Held until {end}, it expires then. Why: {reason}"
    until = _moment(entry.held_until, locale)
    subject, words = _quote(entry.subject, MAX_SUBJECT_CHARACTERS), _quote(entry.text)
    lines = [
        f"{number}. {_show_author(who)}" + (f" ({level})" if level else ""),
        _moment(entry.received_at, locale),
        *([translate_mail("Subject: {subject}", language, subject=subject)] if subject else []),
        *([f'"{words}"'] if words else []),
        translate_mail(held, language, end=until, reason=why),
        *_decision_lines(entry.message_id, entry.author, owner, language, link),
    ]
    return [lines[0], *(_INDENT + line for line in lines[1:])]


def _reason_of(entry: HeldEntry, language: str) -> str:
    """Return why a message is held, in a language; the reason of a burst with its bound."""
    for phrase in REASONS.values():
        before, _, after = phrase.partition("{}")
        number, _, rest = entry.reason.removeprefix(before).partition(after)
        if entry.hold == Hold.BURST and rest and number.isdigit():
            return translate_mail(phrase.replace("{}", "{number}"), language, number=number)
    return translate_mail(_WHY.get(entry.hold, "{reason}"), language, reason=entry.reason)


def _decision_lines(
    message_id: str, author: str, owner: str, language: str, link: Link
) -> list[str]:
    if link is not None:
        choices = "Release it once, always allow the author, or block the author:"
        return [translate_mail(choices, language), link(message_id)]
    # An author chooses the address, and these lines are pasted into a shell.
    author, owner = shlex.quote(author), shlex.quote(owner)
    commands = {
        "Release it once: {command}": f"satbridge messages release {message_id}",
        "Always allow the author: {command}": f"satbridge users contacts add {owner} NAME {author}",
        "Block the author: {command}": f"satbridge users blocks add {author} --user {owner}",
    }
    return [translate_mail(text, language, command=one) for text, one in commands.items()]


def _bulk_lines(digest: Digest, language: str, link: Link) -> list[str]:
    """Return one group of lines about the lists and programs."""
    heading = "From lists and programs, and marked as spam ({number}):"
    lines = [translate_mail(heading, language, number=digest.bulk_number)]
    for one in digest.bulk:
        line = "{author}: {number}, the last: {subject}"
        subject = _quote(one.subject, MAX_SUBJECT_CHARACTERS) or "-"
        author = _show_author(one.author)
        text = translate_mail(line, language, author=author, number=one.number, subject=subject)
        place = link(one.message_id) if link else f"satbridge messages release {one.message_id}"
        lines += [_INDENT + text, _INDENT + place]
    others = digest.bulk_number - sum(one.number for one in digest.bulk)
    if others:
        more = "{number} more of others"
        lines.append(_INDENT + translate_mail(more, language, number=others))
    return lines


def _budget_lines(digest: Digest, language: str) -> list[str]:
    """Return one group of lines about the budgets of the subscriber."""
    lines = []
    for one in digest.warnings:
        warning = "Budget {name} per {period}: {percent} % are used, {used} of {limit}."
        period = translate_mail(one.period, language)
        values = {"name": one.name, "percent": one.percent, "used": one.used, "limit": one.limit}
        lines.append(translate_mail(warning, language, period=period, **values))
    if digest.over_budget:
        more = "{number} messages wait for room in a budget, and go when it has some. This command lists them:"
        lines.append(translate_mail(more, language, number=digest.over_budget))
        owner = shlex.quote(digest.owner)
        lines.append(f"{_INDENT}satbridge messages list --state held --user {owner}")
    return lines


def _stop_text(owner: str, language: str, url: str) -> str:
    if not url:
        command = f'satbridge users change {shlex.quote(owner)} --mail ""'
        return translate_mail("To get no more of these mails: {command}", language, command=command)
    page = "To get no more of these mails, open this page and press the button:"
    return f"{translate_mail(page, language)}\n{url}"


def _show_author(text: str) -> str:
    # Marks of direction in an address would show it, and what follows in the line, in another order.
    return one_line(remove_invisible(text), 200)


def _quote(text: str, max_characters: int = MAX_WORDS_CHARACTERS) -> str:
    # Programs that show mail make links of URLs: one of a stranger must not look like one of ours.
    return (
        one_line(remove_invisible(text[: 8 * max_characters]), max_characters)
        .replace("://", ": //")
        .replace('"', "'")
        .strip()
    )


def _moment(time: datetime, locale: Locale) -> str:
    """Return `2026-12-01 12:00` and the short name of the zone."""
    local = time.astimezone(locale.zone)
    zone = local.tzname() or ""
    return f"{local:%Y-%m-%d %H:%M} {f'UTC{zone}' if zone.startswith(('+', '-')) else zone}"
