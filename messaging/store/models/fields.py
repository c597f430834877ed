"""The fields of the tables that normalise or check their values."""

from typing import TYPE_CHECKING, Any

from django.core.exceptions import ValidationError
from django.db import models

from messaging.model.address_syntax import e164, mailbox, phone_number, subscriber_name

if TYPE_CHECKING:
    TextField = models.CharField[str, str]
else:
    TextField = models.CharField


class NameField(TextField):
    """The local part of a mailbox, stored in lower case: unique, and found, in any case."""

    def to_python(self, value: Any) -> Any:
        """Normalise the value of a form."""
        return value.strip().lower() if isinstance(value, str) else value

    def get_prep_value(self, value: Any) -> Any:
        """Normalise the value of a query."""
        return super().get_prep_value(self.to_python(value))


def check_name(text: str) -> None:
    """Raise ValidationError unless this can be the local part of a mailbox."""
    if subscriber_name(text) is None:
        raise ValidationError(
            "Letters, digits, dots and dashes: the part of the mailbox before the @."
        )


def check_number(text: str) -> None:
    """Raise ValidationError unless this is a phone number in E.164."""
    if e164(text) != text:
        raise ValidationError("A telephone number with + and the country code: +15550001111.")


def contact_address(text: str) -> str | None:
    """Return a mailbox or a phone number as it is stored; None when the text is neither."""
    return mailbox(text.strip()) if "@" in text else phone_number(text.strip())


def check_address(text: str) -> None:
    """Raise ValidationError unless this is a mailbox or a phone number."""
    if contact_address(text) is None:
        raise ValidationError(
            "A mailbox such as alice@example.org, or a number such as +15551230000."
        )
