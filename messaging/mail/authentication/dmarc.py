"""Finds the DMARC policy and the organizational domain of a domain by the tree walk (RFC 9989 section 4.10)."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from messaging.mail.authentication.resolver import Lookups

MAX_WALK: Final = 8
MAX_PARSED: Final = 1000  # records, of at most 4 KB each
POLICIES: Final = ("none", "quarantine", "reject")


@dataclass(frozen=True, slots=True)
class DmarcRecord:
    """A DMARC policy record. A subdomain's policy is the domain's own where the record has none."""

    domain: str
    policy: str
    subdomain_policy: str
    nonexistent_policy: str
    psd: str = "u"
    is_dkim_strict: bool = False
    is_spf_strict: bool = False
    is_test: bool = False

    def is_strict(self, mechanism: str) -> bool:
        """Whether the policy asks for the author's very domain, for `dkim` or `spf`."""
        return self.is_dkim_strict if mechanism == "dkim" else self.is_spf_strict


@dataclass(frozen=True, slots=True)
class Walk:
    """The records of a domain and the domains above it, up to the first that ends the walk, longest name first.

    `failed`: DNS did not answer for a name that could have had a record which counts.
    """

    domain: str
    records: tuple[DmarcRecord, ...] = ()
    failed: bool = False

    @property
    def organization(self) -> str:
        """The organizational domain (section 4.10.2)."""
        for record in self.records:
            if record.psd == "n":
                return record.domain
            if record.psd == "y" and record.domain != self.domain:
                labels = record.domain.count(".") + 2
                return ".".join(self.domain.split(".")[-labels:])
        return self.records[-1].domain if self.records else self.domain

    @property
    def record(self) -> DmarcRecord | None:
        """The record that applies: of the domain, else of its organization, else of the public suffix (4.10.1)."""
        by_domain = {record.domain: record for record in self.records}
        own = by_domain.get(self.domain) or by_domain.get(self.organization)
        return own or (self.records[-1] if self.records else None)

    def policy(self, exists: bool) -> str:
        """Return the policy for mail of the domain, one step lower in test mode; empty when no DMARC applies."""
        record = self.record
        if record is None:
            return ""
        policy = record.policy
        if record.domain != self.domain:
            policy = record.subdomain_policy if exists else record.nonexistent_policy
        if record.is_test and policy != "none":
            policy = POLICIES[POLICIES.index(policy) - 1]
        return policy


async def walk(lookups: Lookups, domain: str) -> Walk:
    """Look up the records of a domain and of the domains above it, at most `MAX_WALK` names, at the same time."""
    if (known := lookups.recall(Walk, domain)) is not None:
        return known
    names = walk_names(domain)
    asked = [f"_dmarc.{name}" for name in names]
    answers = await lookups.find_texts(asked)
    records, failed = [], False
    for name, answer in zip(names, answers, strict=True):
        # A top-level domain that does not answer says no less than one without a record.
        failed = failed or (answer.failed and ("." in name or name == domain))
        found = [record for text in answer.texts if (record := parse_record(text, name))]
        if len(found) == 1:
            records.append(found[0])
            if found[0].psd in ("y", "n"):
                break
    applying = tuple(record for record in records if record.policy)
    made = Walk(domain, applying, failed)
    used = {(name, "TXT"): answer for name, answer in zip(asked, answers, strict=True)}
    lookups.remember(made, domain, used=used)
    return made


def walk_names(domain: str) -> list[str]:
    """Return the names of the walk: the domain, then its last seven labels and fewer."""
    labels = domain.split(".")
    shorter = labels[1:] if len(labels) < MAX_WALK else labels[-(MAX_WALK - 1) :]
    return [domain, *(".".join(shorter[at:]) for at in range(len(shorter)))]


@lru_cache(MAX_PARSED)
def parse_record(text: bytes, domain: str) -> DmarcRecord | None:
    """Parse a policy record (section 4.7); None when it is none.

    A record without a valid policy counts as `p=none` if it asks for reports, else it has an empty policy.
    """
    tags: dict[str, str] = {}
    for number, part in enumerate(text.decode("ascii", "replace").split(";")):
        name, equals, value = part.partition("=")
        name, value = name.strip().lower(), value.strip()
        if number == 0 and (name != "v" or value != "DMARC1"):
            return None
        if equals:
            tags.setdefault(name, value if name == "rua" else value.lower())
    policy = tags.get("p", "")
    given = [policy, *(tags[name] for name in ("sp", "np") if name in tags)]
    if any(one not in POLICIES for one in given):
        policy = "none" if "mailto:" in tags.get("rua", "").lower() else ""
        tags = {**tags, "sp": policy, "np": policy}
    subdomain = tags.get("sp", policy)
    return DmarcRecord(
        domain=domain,
        policy=policy,
        subdomain_policy=subdomain,
        nonexistent_policy=tags.get("np", subdomain),
        psd=tags.get("psd", "u"),
        is_dkim_strict=tags.get("adkim") == "s",
        is_spf_strict=tags.get("aspf") == "s",
        is_test=tags.get("t") == "y",
    )
