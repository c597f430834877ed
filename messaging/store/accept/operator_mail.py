"""Forwards mail for the operators' mailboxes (postmaster, abuse, MAILER-DAEMON). Pure."""

from dataclasses import replace

from messaging.model.message import DeadLetter, Message

NOT_FORWARDED = (
    "mail for the operator: no other mailbox of SATBRIDGE_OPERATOR_ADDRESSES can be reached by mail"
)


def forward(message: Message) -> Message:
    """Return the message with its author and its mailbox before the text: it leaves as from that mailbox.

    Causes no notice: its author may be forged, and the operator finds a failure among the messages.
    """
    whole = message.whole_text or message.text
    text = f"Mail for {message.recipient.value} from {message.sender.value}:\n\n{whole}"
    return replace(message, text=text, whole_text="", wants_notice=False)


def keep(message: Message) -> DeadLetter:
    """Return the dead letter of a message that no operator can get by mail."""
    text = f"Subject: {message.subject}\n\n{message.whole_text or message.text}"
    return DeadLetter(
        id=message.id,
        sender=message.sender,
        recipient=message.recipient,
        via=message.via,
        raw=text.encode("utf-8", "replace"),
        reason=NOT_FORWARDED,
        text=text,
    )
