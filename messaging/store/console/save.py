"""Checks and saves the rows that people enter on the command line."""

from typing import TypeVar

from django.core.exceptions import ValidationError
from django.db import IntegrityError, models, transaction

from messaging.errors import ConfigurationError
from messaging.store.models import Subscriber

M = TypeVar("M", bound=models.Model)


class InvalidInput(ConfigurationError):
    """The input cannot be used: a name that is taken or unknown, or no telephone number. One sentence."""


def find_subscriber(name: str) -> Subscriber:
    """Return the subscriber. Raises InvalidInput."""
    found = Subscriber.objects.filter(name=name).first()
    if found is None:
        raise InvalidInput(f"there is no user {name!r}")
    return found


def save(row: M) -> M:
    """Check a row, save it and return it. Raises InvalidInput."""
    try:
        row.full_clean()
        # Its own transaction: a race that is lost here must not spoil one that the caller has open.
        with transaction.atomic():
            row.save()
    except ValidationError as error:
        raise InvalidInput(" ".join(_sentences(row, error))) from None
    except IntegrityError:
        raise InvalidInput("The same was entered at the same moment by another process.") from None
    return row


def _sentences(row: models.Model, error: ValidationError) -> list[str]:
    if not hasattr(error, "error_dict"):
        return list(error.messages)
    sentences: list[str] = []
    for field, errors in error.error_dict.items():
        for one in errors:
            texts = one.messages
            if one.code == "invalid_choice":
                choices = getattr(row._meta.get_field(field), "choices", None) or ()
                known = ", ".join(str(value) for value, _ in choices)
                texts = [f"{getattr(row, field)!r} is not known; it can be {known}, or empty"]
            sentences += [text if field == "__all__" else f"{field}: {text}" for text in texts]
    return sentences
