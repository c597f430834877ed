"""The refusals of a recipient or a device, with their reasons. SMTP answers 550, and 451 to temporary ones."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Refusal:
    """A refusal: `kind` for the counters, `reason` for people. Permanent unless `is_temporary`."""

    kind: str
    reason: str
    is_temporary: bool = False


UNKNOWN = Refusal("unknown_subscriber", "there is no subscriber here by that name or number")
NOT_OURS = Refusal("not_ours", "this gateway takes mail for its own subscribers only")
INACTIVE = Refusal("inactive_subscriber", "this subscriber does not take messages now")
NO_DEVICE = Refusal("no_active_device", "this subscriber has no device that takes messages now")
NOT_ADDRESSABLE = Refusal("not_ours", "a device is reached by the mailbox or number of its owner")
UNKNOWN_DEVICE = Refusal("unknown_device", "the device is not registered here")
INACTIVE_DEVICE = Refusal("inactive_device", "the device is switched off here")
INACTIVE_OWNER = Refusal("inactive_subscriber", "the owner of the device is switched off here")
NO_NUMBER = Refusal("no_number", "the owner of the device has no number to send SMS from")
OPTED_OUT = Refusal("opted_out", "the recipient asked not to get messages from this number")
BAD_MAILBOX = Refusal("bad_recipient", "the recipient is not a mail address")
BAD_NUMBER = Refusal("bad_recipient", "the recipient is not a telephone number with + and country")
NO_ANSWERS = Refusal("bad_recipient", "names and short codes take no answers")
NO_WHATSAPP = Refusal("network_off", "the SMS account of the owner's number carries no WhatsApp")
MAIL_OFF = Refusal("network_off", "mail-out is off: no relay is configured")
SMS_OFF = Refusal("network_off", "SMS-out is off: no provider is configured")
SATELLITE_OFF = Refusal("network_off", "the network of the subscriber's device is not configured")
CLOSED = Refusal("closed", "this subscriber takes no messages from others now")
AUTHOR_BLOCKED = Refusal("blocked", "this recipient takes no messages from you")
AUTHOR_FORGED = Refusal(
    "forged",
    "the domain of the author asks to refuse mail that does not prove that it is from there",
)
AUTHOR_REFUSALS = (AUTHOR_BLOCKED, AUTHOR_FORGED)
"""These depend on the author: another recipient of the same mail may accept it."""
SATELLITE_AWAY = Refusal("network_away", SATELLITE_OFF.reason + " now", is_temporary=True)
"""For a network that the gateway knows: its settings may be lost, and come back."""


def bad_country(country: str) -> Refusal:
    """Return the refusal of a text to a country that the devices of a subscriber may not text."""
    where = country or "this number"
    return Refusal(
        "bad_country", f"no SMS to {where} from here; have the number added as a contact"
    )
