"""Checks ARC chains (RFC 8617), parsed by dkimpy as DKIM is, and reads the results of their sealers. Pure."""

import re
from dataclasses import dataclass
from typing import Any, Final

import dkim
from dkim.canonicalization import CanonicalizationPolicy

from messaging.mail.authentication.dkim import (
    MAX_KEY_BYTES,
    BadSignature,
    Signature,
    field_names,
    flaw_of,
    parse_tags,
    read_key,
    verify,
    verify_fields,
)
from messaging.mail.authentication.header import Field, SplitMail
from messaging.mail.authentication.results import ForeignResult, read_results

MAX_INSTANCES: Final = 10  # RFC 8617 section 4.2.1 allows 50
_FIELDS: Final = (b"arc-seal", b"arc-message-signature", b"arc-authentication-results")
_INSTANCE: Final = re.compile(rb"\s*i\s*=\s*(\d{1,4})\s*;")
_TAGGED: Final = re.compile(rb"(?:^|;)\s*i\s*=\s*(\d{1,4})\s*(?:;|$)")


@dataclass(frozen=True, slots=True)
class ArcChain:
    """The seals and message signatures of a mail by instance, newest first; `problem` of a malformed chain."""

    seals: tuple[Signature, ...] = ()
    signatures: tuple[Signature, ...] = ()
    results: tuple[bytes, ...] = ()
    problem: str = ""

    @property
    def sealer(self) -> str:
        """The domain of the newest seal; empty without one."""
        return self.seals[0].domain if self.seals else ""

    @property
    def key_names(self) -> list[str]:
        """The names of the TXT records with the keys."""
        return list(dict.fromkeys(one.key_name for one in (*self.seals, *self.signatures)))


def read_chain(mail: SplitMail) -> ArcChain | None:
    """Parse the ARC sets of a mail; None when it has none."""
    sets: dict[int, dict[bytes, Field]] = {}
    for field in mail.fields:
        name = field[0].lower()
        if name not in _FIELDS:
            continue
        pattern = _INSTANCE.match if name == b"arc-authentication-results" else _TAGGED.search
        match = pattern(re.sub(rb"[ \t\r\n]+", b" ", field[1][:8192]).strip())
        instance = int(match[1]) if match else 0
        if not 1 <= instance <= MAX_INSTANCES or name in sets.setdefault(instance, {}):
            return ArcChain(problem="an ARC field is malformed, or there twice")
        sets[instance][name] = field
    if not sets:
        return None
    order = sorted(sets, reverse=True)
    if order[0] != len(order) or any(len(one) != len(_FIELDS) for one in sets.values()):
        return ArcChain(problem="an ARC set is incomplete")
    try:
        return ArcChain(
            tuple(_read_seal(sets[number][b"arc-seal"]) for number in order),
            tuple(_read_signature(sets[n][b"arc-message-signature"], mail) for n in order),
            tuple(sets[number][b"arc-authentication-results"][1] for number in order),
        )
    except BadSignature as error:
        return ArcChain(problem=error.reason)


def _read_seal(field: Field) -> Signature:
    tags = parse_tags(field[1])
    _validate(tags, [b"i", b"a", b"b", b"cv", b"d", b"s"])
    if b"h" in tags or b"bh" in tags:
        raise BadSignature("permerror", "an ARC-Seal has h= or bh=")  # RFC 8617 section 4.1.3
    return Signature(field, tags, ())


def _read_signature(field: Field, mail: SplitMail) -> Signature:
    tags = parse_tags(field[1])
    _validate(tags, [b"i", b"a", b"b", b"bh", b"d", b"h", b"s"])
    names = field_names(tags)
    if b"arc-seal" in names:
        raise BadSignature("permerror", "an ARC-Message-Signature covers ARC-Seal")
    return Signature(field, {b"c": b"relaxed/relaxed", **tags}, names, flaw_of(tags, names, mail))


def _validate(tags: dict[bytes, bytes], mandatory: list[bytes]) -> None:
    try:
        dkim.validate_signature_fields(tags, mandatory, True)
    except (dkim.DKIMException, IndexError, KeyError, ValueError) as error:
        raise BadSignature("permerror", "an ARC field is malformed") from error


def verify_chain(mail: SplitMail, chain: ArcChain, keys: dict[str, tuple[bytes, ...]]) -> None:
    """Verify all seals and the newest message signature (RFC 8617 section 5.2). Raises BadSignature."""
    if chain.problem:
        raise BadSignature("fail", chain.problem)
    newest = chain.signatures[0]
    if newest.domain != chain.sealer:
        raise BadSignature("fail", "the newest set has two signers")
    if newest.flaw:
        raise BadSignature("policy", newest.flaw)
    if any(
        seal.tags[b"cv"] != (b"none" if number == len(chain.seals) else b"pass")
        for number, seal in enumerate(chain.seals, 1)
    ):
        raise BadSignature("fail", "a seal says that the chain was broken before")
    verify(mail, newest, keys.get(newest.key_name, ()))
    for number, seal in enumerate(chain.seals):
        _verify_seal(chain, number, seal, keys.get(seal.key_name, ()))


def _verify_seal(chain: ArcChain, number: int, seal: Signature, records: tuple[bytes, ...]) -> None:
    """Verify the seal over the sets up to its own, oldest first (RFC 8617 section 5.1.1)."""
    if not records:
        raise BadSignature("permerror", "there is no key in DNS")
    signed: list[Field] = []
    for older in range(len(chain.seals) - 1, number - 1, -1):
        signed.append((b"arc-authentication-results", chain.results[older]))
        signed.append(chain.signatures[older].field)
        if older != number:
            signed.append(chain.seals[older].field)
    policy: Any = CanonicalizationPolicy.from_c_value(b"relaxed/relaxed")
    key, _ = read_key(records[0][:MAX_KEY_BYTES])
    verify_fields(policy, signed, seal.field, seal.tags, key)


def results_of_sealers(chain: ArcChain, sealers: frozenset[str]) -> list[ForeignResult]:
    """Return what the trusted sealers found, from the newest set down to the first of a sealer that is not trusted."""
    found: list[ForeignResult] = []
    for seal, value in zip(chain.seals, chain.results, strict=True):
        if seal.domain not in sealers:
            break
        found += read_results(_INSTANCE.sub(b"", value, count=1))
    return found
