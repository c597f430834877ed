"""Parses the arguments of MAIL and RCPT (RFC 5321 section 4.1.2) and refuses malformed ones. Pure."""

import re
from dataclasses import dataclass
from typing import Final

from messaging.mail.smtp.replies import NOT_A_MAILBOX_NAME, RELAYING_DENIED
from messaging.model.address_syntax import ascii_domain, subscriber_name

MAX_ADDRESS_CHARS: Final = 320
UNKNOWN_PARAMETER: Final = "555 5.5.4 the command has an unknown parameter"

_ARGUMENT: Final = re.compile(
    r"(?P<keyword>FROM|TO):\s*"
    r"(?:<(?P<path>(?:\"(?:[^\"\\]|\\.)*\"|[^<>\"])*)>|(?P<bare>[^\s<>\"]+))"
    r"(?:\s+(?P<parameters>.*))?",
    re.IGNORECASE,
)
_SUB_ADDRESS: Final = re.compile(r"\+([^\s@<>\"(),:;\[\]\\]{1,64})@")
_SOURCE_ROUTE: Final = re.compile(r"@[^:\s]*:")
_QUOTED: Final = re.compile(r'"((?:[^"\\]|\\.)*)"')
_PLAIN_LOCAL: Final = re.compile(r"[^\s()<>\[\]:;@\\,\"]+")
_PLAIN_DOMAIN: Final = re.compile(r"[^\s()<>\[\]:;@\\,\"]+|\[[0-9A-Za-z:.]+\]")
_PARAMETER: Final = re.compile(r"([A-Za-z0-9-]+)(?:=(\S+))?")


class BadCommand(Exception):
    """A command that is refused with `reply`."""

    def __init__(self, reply: str) -> None:
        super().__init__(reply)
        self.reply = reply


@dataclass(frozen=True, slots=True)
class ReversePath:
    """The sender of a mail, empty for a bounce, and the announced size in bytes."""

    sender: str
    size: int


def read_reverse_path(argument: str | None) -> ReversePath:
    """Parse the argument of MAIL; brackets and the domain may be missing, since scripts omit them. Raises BadCommand.

    Accepts `BODY` and `SMTPUTF8` without effect: every mail is read as 8-bit, with addresses in UTF-8.
    """
    path, parameters = _split_argument("FROM", argument)
    size = parameters.pop("SIZE", None) or "0"
    if not (size.isascii() and size.isdecimal() and len(size) <= 20):
        raise BadCommand("501 5.5.4 SIZE must be a number of bytes")
    if (parameters.pop("BODY", None) or "7BIT").upper() not in ("7BIT", "8BITMIME"):
        raise BadCommand("501 5.5.4 BODY must be 7BIT or 8BITMIME")
    if parameters.pop("SMTPUTF8", None) is not None:
        raise BadCommand("501 5.5.4 SMTPUTF8 takes no value")
    if parameters:
        raise BadCommand(UNKNOWN_PARAMETER)
    if path == "":
        return ReversePath("", int(size))
    local, domain = _read_address(path, "5.1.7")
    return ReversePath(f"{local}@{domain}" if domain else local, int(size))


def read_forward_path(argument: str | None, mail_domain: str) -> str:
    """Parse the argument of RCPT; return the mailbox in lower case, without its `+tag`. Raises BadCommand.

    Refuses every domain but `mail_domain`: nothing is relayed. `postmaster` may come without a domain (RFC 5321
    section 4.5.1).
    """
    path, parameters = _split_argument("TO", argument)
    if parameters:
        raise BadCommand(UNKNOWN_PARAMETER)
    local, domain = _read_address(path, "5.1.3")
    if domain is None and local.lower() != "postmaster":
        raise BadCommand("501 5.1.3 the address needs a domain")
    is_foreign = domain not in (None, mail_domain)
    if is_foreign and ascii_domain(domain or "") != ascii_domain(mail_domain):
        raise BadCommand(RELAYING_DENIED)
    if quoted := _QUOTED.fullmatch(local):
        local = re.sub(r"\\(.)", r"\1", quoted[1])
    name = subscriber_name(local.partition("+")[0])
    if name is None:
        raise BadCommand(NOT_A_MAILBOX_NAME)
    return f"{name}@{mail_domain}"


def read_sub_address(argument: str | None) -> str:
    """Return the part between `+` and `@` of the argument of RCPT, in lower case; empty without one."""
    found = _SUB_ADDRESS.search(argument or "")
    return found[1].lower() if found else ""


def _split_argument(keyword: str, argument: str | None) -> tuple[str, dict[str, str | None]]:
    """Return the path, and the parameters with their names in upper case."""
    match = _ARGUMENT.fullmatch(argument or "")
    if match is None or match["keyword"].upper() != keyword:
        raise BadCommand(f"501 5.5.4 write {keyword}:<address>")
    path = match["path"] if match["path"] is not None else match["bare"]
    parameters: dict[str, str | None] = {}
    for word in (match["parameters"] or "").split():
        parameter = _PARAMETER.fullmatch(word)
        if parameter is None or parameter[1].upper() in parameters:
            raise BadCommand("501 5.5.4 the parameters are malformed")
        parameters[parameter[1].upper()] = parameter[2]
    return path.strip(), parameters


def _read_address(path: str, status: str) -> tuple[str, str | None]:
    """Return local part and domain, without the source route (RFC 5321 appendix C)."""
    path = _SOURCE_ROUTE.sub("", path, count=1) if path.startswith("@") else path
    local, at, domain = path.rpartition("@")
    if not at:
        local, domain = path, "none"
    is_valid = _PLAIN_LOCAL.fullmatch(local) or _QUOTED.fullmatch(local)
    if not (is_valid and _PLAIN_DOMAIN.fullmatch(domain) and path.isprintable()):
        raise BadCommand(f"501 {status} this is not a mail address")
    if len(path) > MAX_ADDRESS_CHARS:
        raise BadCommand(f"501 {status} the address is too long")
    return local, domain if at else None
