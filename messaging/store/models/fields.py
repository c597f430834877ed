"""The fields of the tables that normalise, check or encrypt their values."""

from typing import TYPE_CHECKING, Any

from django.core.exceptions import ValidationError
from django.db import models

from messaging.model.address_syntax import (
    e164,
    mailbox,
    phone_number,
    subscriber_name,
    whatsapp_address,
)
from messaging.model.locale import language_code, time_zone_name
from messaging.store.db.encryption import (
    current_cipher,
    decrypt_bytes,
    decrypt_text,
    decrypt_value,
    encrypt_bytes,
    encrypt_text,
    encrypt_value,
)

if TYPE_CHECKING:
    TextField = models.CharField[str, str]
    LongTextField = models.TextField[str, str]
    BytesField = models.BinaryField[Any, Any]
    ValueField = models.JSONField[Any, Any]
else:
    TextField = models.CharField
    LongTextField, BytesField, ValueField = models.TextField, models.BinaryField, models.JSONField


class NameField(TextField):
    """The local part of a mailbox, stored in lower case: unique, and found, in any case."""

    def to_python(self, value: Any) -> Any:
        """Normalise the value of a form."""
        return value.strip().lower() if isinstance(value, str) else value

    def get_prep_value(self, value: Any) -> Any:
        """Normalise the value of a query."""
        return super().get_prep_value(self.to_python(value))


class EncryptedTextField(LongTextField):
    """A text that is stored encrypted where the store has a key. In conditions a value stays as it is."""

    def get_db_prep_save(self, value: Any, connection: Any) -> Any:
        """Return the value as it is stored."""
        value = super().get_db_prep_save(value, connection)
        return encrypt_text(value) if isinstance(value, str) else value

    def get_db_converters(self, connection: Any) -> Any:
        """Decrypt values of this column; without a key nothing runs."""
        converters = super().get_db_converters(connection)
        return [*converters, _decrypt_text] if current_cipher() else converters

    def deconstruct(self) -> Any:
        """Name the field of Django: the column is the same."""
        name, _, arguments, keywords = super().deconstruct()
        return name, "django.db.models.TextField", arguments, keywords


class EncryptedBinaryField(BytesField):
    """Bytes that are stored encrypted where the store has a key."""

    def get_db_prep_save(self, value: Any, connection: Any) -> Any:
        """Return the value as it is stored."""
        return super().get_db_prep_save(
            encrypt_bytes(bytes(value)) if isinstance(value, bytes | memoryview) else value,
            connection,
        )

    def get_db_converters(self, connection: Any) -> Any:
        """Decrypt values of this column; without a key nothing runs."""
        converters = super().get_db_converters(connection)
        return [*converters, _decrypt_bytes] if current_cipher() else converters

    def deconstruct(self) -> Any:
        """Name the field of Django: the column is the same."""
        name, _, arguments, keywords = super().deconstruct()
        return name, "django.db.models.BinaryField", arguments, keywords


class EncryptedJSONField(ValueField):
    """A value of JSON that is stored encrypted, as a string of JSON, where the store has a key."""

    def get_db_prep_save(self, value: Any, connection: Any) -> Any:
        """Return the value as it is stored."""
        is_plain = value is None or hasattr(value, "resolve_expression")
        return super().get_db_prep_save(value if is_plain else encrypt_value(value), connection)

    def from_db_value(self, value: Any, expression: Any, connection: Any) -> Any:
        """Decrypt a stored value."""
        return decrypt_value(super().from_db_value(value, expression, connection))

    def deconstruct(self) -> Any:
        """Name the field of Django: the column is the same."""
        name, _, arguments, keywords = super().deconstruct()
        return name, "django.db.models.JSONField", arguments, keywords


def _decrypt_text(value: Any, _expression: Any, _connection: Any) -> Any:
    return decrypt_text(value) if value else value


def _decrypt_bytes(value: Any, _expression: Any, _connection: Any) -> Any:
    return None if value is None else decrypt_bytes(bytes(value))


def check_name(text: str) -> None:
    """Raise ValidationError unless this can be the local part of a mailbox."""
    if subscriber_name(text) is None:
        raise ValidationError(
            "Letters, digits, dots and dashes: the part of the mailbox before the @."
        )


def check_time_zone(text: str) -> None:
    """Raise ValidationError unless this is the name of a time zone."""
    try:
        name = time_zone_name(text)
    except ValueError as error:
        raise ValidationError(f"{error}") from None
    if name != text:
        raise ValidationError(f"{text!r} is written {name}.")


def check_language(text: str) -> None:
    """Raise ValidationError unless this is a language code in lower case."""
    try:
        code = language_code(text)
    except ValueError as error:
        raise ValidationError(f"{error}") from None
    if code != text:
        raise ValidationError(f"{text!r} is written {code}.")


def check_number(text: str) -> None:
    """Raise ValidationError unless this is a phone number in E.164."""
    if e164(text) != text:
        raise ValidationError("A telephone number with + and the country code: +15550001111.")


def contact_address(text: str) -> str | None:
    """Return a mailbox, a phone number or one of WhatsApp as it is stored; None when the text is none of them."""
    if "@" in text:
        return mailbox(text.strip())
    return phone_number(text.strip()) or whatsapp_address(text)


def check_address(text: str) -> None:
    """Raise ValidationError unless this is a mailbox or a phone number."""
    if contact_address(text) is None:
        raise ValidationError(
            "A mailbox such as alice@example.org, or a number such as +15551230000."
        )
