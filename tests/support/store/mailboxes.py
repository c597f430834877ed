"""A subscriber whose messages of strangers are held, with a confirmed mailbox that hears of them."""

import re
from dataclasses import replace

from messaging.model.message import Address, AuthorLevel, Authorship, Message, Network
from messaging.store.admission.mailboxes import change_mailbox, confirm_mailbox
from messaging.store.models import Message as Stored
from messaging.store.models import Subscriber
from messaging.store.notices.digest import Digests
from tests.support.store import records as g
from tests.support.store.records import Gateway

MAILBOX = "ann@home.example"
ACCOUNT = g.VIAS[Network.EMAIL]
CODE = re.compile(r"satbridge users confirm boop ([a-z2-7]{10})$", re.MULTILINE)
LINK = re.compile(r"https?://\S+")


def with_pages(gateway: Gateway) -> Gateway:
    """Return the gateway with a public URL, so that its mails have links."""
    settings = gateway.settings.model_copy(update={"public_url": "https://gw.example.org"})
    return replace(gateway, settings=settings)


def enter_mailbox(gateway: Gateway, address: str = MAILBOX) -> str:
    """Enter a mailbox; return the text of the mail that asks to confirm it."""
    change_mailbox("boop", address, gateway.settings, ACCOUNT, gateway.clock())
    sent = Stored.objects.filter(mail_kind="code", recipient=address)
    return sent.order_by("-created_at").values_list("text", flat=True)[0]


def code_of(text: str) -> str:
    [code] = CODE.findall(text)
    return str(code)


def hold_for_mailbox(gateway: Gateway, **given: str) -> None:
    """Let the subscriber hold messages of strangers, and confirm the mailbox."""
    Subscriber.objects.filter(name="boop").update(senders="known", **given)
    code = code_of(enter_mailbox(gateway))
    confirm_mailbox("boop", code, gateway.settings, gateway.clock())


def stranger(key: str, author: str = "x@far.example", level: str = "unproved") -> Message:
    sender = Address(Network.EMAIL, author)
    return replace(g.mail(key), sender=sender, authorship=Authorship(AuthorLevel(level)))


def send_digests(gateway: Gateway) -> list[Stored]:
    """Write the digests that are due now, and return those that are new, of the oldest."""
    before = set(Stored.objects.values_list("id", flat=True))
    Digests(gateway.settings, g.VIAS, gateway.clock).turn()
    new = Stored.objects.filter(mail_kind="digest").exclude(id__in=before)
    return list(new.order_by("created_at", "id"))
