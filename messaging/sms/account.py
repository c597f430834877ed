"""The contract between the gateway and an SMS provider: its account, its client and its webhook."""

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Protocol
from unicodedata import normalize

from messaging.config.account import Account
from messaging.config.settings import Count, Positive
from messaging.errors import Rejected
from messaging.model.message import DeadLetter, Message, OptOutChange, Receipt, SubmittedPart
from messaging.model.webhook import Acknowledgement, Webhook, WebhookBytes
from messaging.sending.split import split
from messaging.sms.segments import segments
from messaging.words.alphabet import Alphabet, write_plainly

Received = Message | OptOutChange | DeadLetter | Receipt
"""A record that a webhook may bring."""


@dataclass(frozen=True, slots=True)
class OutgoingText:
    """One text for one phone. `reference` is ours and the same in every attempt, for providers that carry a tag."""

    sender: str
    recipient: str
    body: str
    reference: str


class SmsProvider(Protocol):
    """A provider's API for outgoing texts. Constructible without I/O; can be pickled before the first request.

    Every method raises only GatewayError and, where it says so, ConfigurationError.
    """

    async def send(self, text: OutgoingText) -> SubmittedPart:
        """Send one text and return the provider's id for it, and its billed units if the provider says them.

        Raises Uncertain whenever the request may have been written and no proper answer came.
        """

    async def find_sent(self, text: OutgoingText, since: datetime) -> Sequence[str]:
        """Return the ids of this very text that the provider took since then and did not fail, oldest first."""

    async def check(self) -> str:
        """Try the credentials, free of charge, and return a line about the account. Raises ConfigurationError too."""

    async def aclose(self) -> None:
        """Close the connections that are open; a later call opens new ones."""


class SmsAccount(Account):
    """The settings of one account, and the client and the webhook that belong to them. A provider is a subclass.

    `timeout_seconds` bounds one request, `max_sends` the requests at once, `max_parts` the parts of a long text, and
    `lookup_hours` the age of an uncertain attempt that is looked up at the provider. The provider calls
    `POST /sms/<account name>`, with any path behind that. With `media_links`, pictures that a phone sends stand in the
    text as links; without, the text only counts them. Texts of the plain `alphabet` are sent where they take
    fewer segments.
    """

    max_characters: ClassVar[int]
    """The longest text (UTF-16 units) that the provider takes at once."""
    acknowledgement: ClassVar[Acknowledgement]
    carries_whatsapp: ClassVar[bool] = False
    """Whether the provider takes senders and recipients such as `whatsapp:+15551230000`."""

    timeout_seconds: Positive = 15
    max_sends: Count = 16
    max_parts: Count = 10
    lookup_hours: Positive = 2
    max_webhook_bytes: WebhookBytes = 65_536
    media_links: bool = True
    alphabet: Alphabet = Alphabet.PLAIN

    def write_texts(self, message: Message) -> list[str]:
        """Return the texts of a message as they are sent, in order. Raises Rejected."""
        text = "\n".join(part for part in (message.subject.strip(), message.text.strip()) if part)
        # Composed characters take fewer units. Half a surrogate pair cannot be encoded.
        body = normalize("NFC", text).encode("utf-8", "replace").decode()
        body = write_plainly(body, self.alphabet, segments)
        if not body:
            raise Rejected("the text is empty")
        return split(body, utf16_units, self.max_characters, self.max_parts)

    def count_units(self, message: Message, codec: str = "", alphabet: str = "") -> int:
        """Return the segments of a message; 0 for one that cannot be sent. Phones have no codec of their own."""
        try:
            return sum(map(segments, self.write_texts(message)))
        except Rejected:
            return 0

    @abstractmethod
    def connect(self, public_url: str = "") -> SmsProvider:
        """Return the client; it does no I/O yet. The gateway is at `public_url`, where that is known."""

    def webhook_at(self, public_url: str) -> str:
        """Return the URL of the account's webhook."""
        return f"{public_url.rstrip('/')}/sms/{self.name}"

    @abstractmethod
    def parse(self, webhook: Webhook, public_url: str) -> list[Received]:
        """Check that the provider made this request to `public_url`, and return the records that it brings.

        Pure. Raises NotAuthentic. Returns a `DeadLetter` for authentic content that makes no sense.
        """


def utf16_units(text: str) -> int:
    """Return the length of a text as SMS providers count it."""
    return len(text) + sum(c > "\uffff" for c in text)
