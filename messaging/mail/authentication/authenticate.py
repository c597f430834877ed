"""Finds out who wrote a mail: joins SPF, DKIM, DMARC, ARC and the results of trusted relays into one level."""

import asyncio
import re
from dataclasses import dataclass, field, replace
from typing import Any, Final

from messaging.config.ip_allowlist import is_peer
from messaging.mail.authentication.arc import ArcChain, read_chain, results_of_sealers, verify_chain
from messaging.mail.authentication.dkim import (
    BadSignature,
    Signature,
    identity_of,
    read_signatures,
    recipients_of,
    verify,
)
from messaging.mail.authentication.dmarc import Walk, walk, walk_names
from messaging.mail.authentication.header import SplitMail, author_of, split_mail
from messaging.mail.authentication.resolver import Answer, Lookups, Resolver
from messaging.mail.authentication.results import (
    ForeignResult,
    authserv_id,
    read_results,
    remove_results,
)
from messaging.mail.authentication.settings import AuthenticationSettings
from messaging.mail.authentication.spf import check_spf, sender_domain
from messaging.model.address_syntax import relay_mailbox
from messaging.model.authentication import Authentication, AuthorLevel, MechanismResult

INLINE_BYTES: Final = 64 * 1024  # a longer body is hashed in a thread
SPF_END: Final = " by spf"
_YES: Final = re.compile(rb"\s*yes\b", re.IGNORECASE)
_SPAM_MARKS: Final = (b"x-spam-flag", b"x-spam", b"x-spam-status")
# Relays write the envelope sender into their field, rspamd into a comment too: these characters would end it there.
_ENDS_COMMENT: Final = re.compile(r"[()\"\\;\s]")


class Authenticator:
    """Checks mails with one resolver and one set of trusted relays and sealers. Belongs to one event loop."""

    def __init__(self, settings: AuthenticationSettings, resolver: Resolver) -> None:
        self._settings = settings
        self._resolver = resolver

    def remove_forged_results(self, content: bytes, client_ip: str) -> bytes:
        """Return a mail without the Authentication-Results under the name of the trusted relays that others wrote."""
        name, relays = self._settings.authserv_id, self._settings.trusted_relays
        if not name or (relays and is_peer(client_ip, relays)):
            return content
        return remove_results(content, [name])

    async def authenticate(
        self,
        content: bytes,
        client_ip: str,
        helo: str,
        envelope_sender: str,
        shown_author: str = "",
    ) -> Authentication:
        """Find out who wrote a mail, within the time of the settings. Never raises but when it is cancelled.

        `shown_author` is the address that the device is shown; empty stands for the one that is found.
        """
        mail = split_mail(content)
        settings = self._settings
        from_relay = bool(settings.trusted_relays and is_peer(client_ip, settings.trusted_relays))
        spam_mark = _find_spam_mark(mail) if from_relay else ""
        author, problem = author_of(mail)
        shown = relay_mailbox(shown_author) or ""
        problem = problem or mail.problem
        if not problem and shown_author and shown.lower() != author.lower():
            problem = "two readers may understand its From differently"
        lookups = Lookups(self._resolver, settings.authentication_seconds)
        if problem:
            own = await walk(lookups, shown.rpartition("@")[2]) if shown else None
            return Authentication(
                level=AuthorLevel.UNPROVED,
                author="",
                reason=f"the author is unproved: {problem}",
                from_relay=from_relay,
                spam_mark=spam_mark,
                is_disputed=own is not None and own.policy(True) == "reject",
            )
        relayed = self._results_of_relay(mail, envelope_sender) if from_relay else None
        check = _Check(mail, author, lookups, settings, relayed)
        client = None if from_relay else (client_ip, helo, envelope_sender)
        found = await check.run(client)
        return replace(found, from_relay=True, spam_mark=spam_mark) if from_relay else found

    def _results_of_relay(
        self, mail: SplitMail, envelope_sender: str
    ) -> tuple[ForeignResult, ...] | None:
        """Return the results of the topmost field under the name of the trusted relays; None without one."""
        name = (self._settings.authserv_id or "").lower()
        values = mail.values(b"authentication-results") if name else []
        # The relay writes its field above those that it did not remove.
        own = next((one for one in values if authserv_id(one) == name), None)
        if own is None:
            return None
        return () if _ENDS_COMMENT.search(envelope_sender) else tuple(read_results(own))


def _find_spam_mark(mail: SplitMail) -> str:
    """Return the name of the field by which a relay marked a mail as spam; empty without one."""
    for name in _SPAM_MARKS:
        if any(_YES.match(value) for value in mail.values(name)):
            return name.decode().title()
    return ""


@dataclass
class _Check:
    """The check of one mail with a single author. `relayed` are the results of a trusted relay."""

    mail: SplitMail
    author: str
    lookups: Lookups
    settings: AuthenticationSettings
    relayed: tuple[ForeignResult, ...] | None = None
    results: list[MechanismResult] = field(default_factory=list)
    walks: dict[str, Walk] = field(default_factory=dict)
    is_undecided: bool = False
    has_flawed_pass: bool = False
    has_weak_signature: bool = False
    domain: str = ""

    def __post_init__(self) -> None:
        self.domain = self.author.rpartition("@")[2]

    async def run(self, client: tuple[str, str, str] | None) -> Authentication:
        """Check the mechanisms, the best one first; `client` is None for a trusted relay."""
        signatures, problems = read_signatures(self.mail, self.domain)
        self.results += [MechanismResult("dkim", "permerror", "", one) for one in problems]
        if client is None and not signatures and self._relay_says("dmarc", "pass"):
            # About the author's domain itself: needs no DNS.
            reason = f"the relay {self.settings.authserv_id} vouches for it by dmarc"
            return self._likely(reason, self._relay_says("spf", "pass"))
        own = self.lookups.recall(Walk, self.domain)
        spf = self.lookups.recall(MechanismResult, *client) if client else None
        # The records that every mail needs are asked at the same time; what follows finds them.
        names = [signature.key_name for signature in signatures]
        if own is None:
            names += [f"_dmarc.{name}" for name in walk_names(self.domain)]
        if client and spf is None:
            names.append(sender_domain(*client[1:]))
        if names:
            await self.lookups.find_texts(names)
        own = own or await walk(self.lookups, self.domain)
        if client and spf is None:
            spf = await check_spf(self.lookups, *client)
        keys = [await self.lookups.find(one.key_name, "TXT") for one in signatures]
        self.walks[self.domain] = own
        signature = await self._check_signatures(signatures, keys)
        relay = await self._vouching_relay() if client is None else ""
        is_sent_by_domain = relay.endswith(SPF_END) or await self._names_client(spf)
        if signature:
            return self._prove(signature, is_sent_by_domain)
        if spf is not None and is_sent_by_domain:
            return self._likely("its domain names the client (SPF)", True)
        if relay:
            return self._likely(relay, is_sent_by_domain)
        if sealer := await self._vouching_sealer():
            return self._likely(sealer, True)
        return await self._weigh_policy(client is None)

    def _prove(self, signature: Signature, is_sent_by_domain: bool) -> Authentication:
        """Return the result for a mail with a signature that is proof."""
        return self._result(
            AuthorLevel.PROVED,
            f"signed by {signature.domain} (DKIM)",
            signed_fields=frozenset(one.decode("ascii", "replace") for one in signature.names),
            signed_identity=identity_of(self.mail, signature),
            named=recipients_of(self.mail, signature.names),
            is_sent_by_domain=is_sent_by_domain,
        )

    def _likely(self, reason: str, is_sent_by_domain: bool) -> Authentication:
        """Return the result for a mail that SPF, a relay or a sealer speaks for."""
        named = recipients_of(self.mail, (b"to", b"cc"))
        return self._result(
            AuthorLevel.LIKELY, reason, named=named, is_sent_by_domain=is_sent_by_domain
        )

    async def _names_client(self, spf: MechanismResult | None) -> bool:
        """Whether SPF passes for the author's domain."""
        if spf is None:
            return False
        self.results.append(spf)
        if spf.result not in ("pass", "temperror") or not await self._is_aligned(spf.domain, "spf"):
            return False
        self.is_undecided = self.is_undecided or spf.result == "temperror"
        return spf.result == "pass"

    def _result(self, level: AuthorLevel, reason: str, **more: Any) -> Authentication:
        is_good = level in (AuthorLevel.PROVED, AuthorLevel.LIKELY)
        own = self.walks.get(self.domain)
        if is_good and own is not None and own.record is not None:
            policy = f"p={own.record.policy}"
            self.results.append(MechanismResult("dmarc", "pass", own.record.domain, policy))
        return Authentication(
            level=level,
            author=self.author,
            reason=f"the author is {level}: {reason}",
            results=tuple(self.results),
            is_undecided=self.is_undecided and not is_good,
            **more,
        )

    async def _check_signatures(
        self, signatures: list[Signature], keys: list[Answer]
    ) -> Signature | None:
        """Return the first signature that is proof: it verifies, is aligned, and has no flaw."""
        for signature, key in zip(signatures, keys, strict=True):
            reason = signature.flaw
            result = "policy" if reason else "pass"
            try:
                if key.failed:
                    raise BadSignature("temperror", "DNS did not answer")
                if len(self.mail.body) > INLINE_BYTES:
                    await asyncio.to_thread(verify, self.mail, signature, key.texts)
                else:
                    verify(self.mail, signature, key.texts)
            except BadSignature as error:
                result, reason = error.result, error.reason
            is_aligned = result in ("pass", "policy", "temperror") and await self._is_aligned(
                signature.domain, "dkim"
            )
            if result == "pass":
                reason = "signed" if is_aligned else "signed, but not by the author's domain"
            self.results.append(MechanismResult("dkim", result, signature.domain, reason))
            if not is_aligned:
                continue
            if result == "pass":
                return signature
            self.has_weak_signature = self.has_weak_signature or result == "policy"
            self.is_undecided = self.is_undecided or (result == "temperror" and not signature.flaw)
            # The policy of the domain accepts a signature that is no proof for us: the mail is not forged.
            self.has_flawed_pass = self.has_flawed_pass or bool(
                signature.flaw and result == "policy"
            )
        return None

    async def _is_aligned(self, domain: str, mechanism: str) -> bool:
        """Whether a domain is the author's, or of the same organization if the policy allows it (RFC 9989 4.10.2)."""
        if not domain:
            return False
        if domain == self.domain:
            return True
        own = self.walks[self.domain]
        if own.failed:
            self.is_undecided = True
            return False
        if own.record is None or own.record.is_strict(mechanism):
            return False
        # A domain elsewhere needs no walk, whose failure would keep a forged mail from being refused.
        if not domain.endswith("." + own.organization) and domain != own.organization:
            return False
        if domain not in self.walks:
            self.walks[domain] = await walk(self.lookups, domain)
        other = self.walks[domain]
        self.is_undecided = self.is_undecided or other.failed
        return not other.failed and other.organization == own.organization

    async def _vouching_relay(self) -> str:
        """Return what a trusted relay found, if it speaks for the author; empty if not."""
        if self.relayed is None:
            return ""
        # By SPF the relay also knows that this copy came from the author's domain: that goes first.
        found = sorted(self.relayed, key=lambda one: one.method != "spf")
        # A result for the author beside a failure of DMARC was not written by the relay, or does not count.
        method = "" if self._relay_says("dmarc", "fail") else await self._vouching(found)
        name = self.settings.authserv_id or ""
        result = "pass" if method else "none"
        self.results.append(MechanismResult("relay", result, name, method or "nothing aligned"))
        return f"the relay {name} vouches for it by {method}" if method else ""

    async def _vouching_sealer(self) -> str:
        """Return what trusted sealers found, if that speaks for the author; empty if not."""
        chain = read_chain(self.mail) if self.mail.values(b"arc-seal") else None
        if chain is None:
            return ""
        if chain.problem or chain.sealer not in self.settings.sealers:
            reason = chain.problem or "the sealer is not in SATBRIDGE_MAIL_ARC_SEALERS"
            self.results.append(MechanismResult("arc", "policy", chain.sealer, reason))
            return ""
        try:
            await self._verify_chain(chain)
        except BadSignature as error:
            self.results.append(MechanismResult("arc", error.result, chain.sealer, error.reason))
            self.is_undecided = self.is_undecided or error.result == "temperror"
            return ""
        method = await self._vouching(results_of_sealers(chain, self.settings.sealers))
        reason = f"sealed; {method} then" if method else "sealed; nothing aligned then"
        self.results.append(MechanismResult("arc", "pass", chain.sealer, reason))
        return f"{chain.sealer} vouches for it (ARC, {method})" if method else ""

    async def _verify_chain(self, chain: ArcChain) -> None:
        names = chain.key_names
        answers = await self.lookups.find_texts(names)
        if any(answer.failed for answer in answers):
            raise BadSignature("temperror", "DNS did not answer")
        keys = {name: answer.texts for name, answer in zip(names, answers, strict=True)}
        await asyncio.to_thread(verify_chain, self.mail, chain, keys)

    async def _vouching(self, found: list[ForeignResult]) -> str:
        """Return the method by which another server found the author's domain; empty without one."""
        # The other server may have believed a signature that is no proof here.
        methods = ("spf",) if self.has_weak_signature else ("dmarc", "dkim", "spf")
        for one in found:
            if one.result != "pass" or one.method not in methods:
                continue
            if one.domain == self.domain or (
                one.method != "dmarc" and await self._is_aligned(one.domain, one.method)
            ):
                return one.method
        return ""

    async def _weigh_policy(self, from_relay: bool) -> Authentication:
        """Return the result for a mail that nothing speaks for: forged where the policy of its domain says reject."""
        own = self.walks[self.domain]
        record = own.record
        if own.failed:
            self.is_undecided = True
        elif record is not None:
            policy = await self._policy(own)
            self.results.append(MechanismResult("dmarc", "fail", record.domain, f"p={policy}"))
            is_refused = policy == "reject" and not self.has_flawed_pass
            # A relay hides the client: without its own result nothing is known about SPF.
            is_refused = is_refused and (not from_relay or self._relay_says("dmarc", "fail"))
            if is_refused and not self.is_undecided:
                return self._result(
                    AuthorLevel.FORGED, f"{record.domain} asks to reject it (DMARC)"
                )
        flaws = [one.reason for one in self.results if one.result == "policy"]
        reason = f"its signature is no proof: {flaws[0]}" if flaws else "nothing proves it"
        reason = "DNS did not answer" if self.is_undecided else reason
        return self._result(AuthorLevel.UNPROVED, reason)

    def _relay_says(self, method: str, result: str) -> bool:
        """Whether a trusted relay has this result for the author's domain."""
        return ForeignResult(method, result, self.domain) in (self.relayed or ())

    async def _policy(self, own: Walk) -> str:
        record = own.record
        if record is None or record.domain == self.domain:
            return own.policy(True)
        answer = await self.lookups.find(self.domain, "A")
        return own.policy(answer.exists)
