"""Every error that Django's database layer has means something to us, and none is passed on as it is."""

import pickle

import django.db.utils
import pytest

from messaging.errors import GatewayError, Rejected, Unavailable
from messaging.store.db.errors import Conflict, StoreAway, describe, translate

ERRORS = [
    kind
    for kind in vars(django.db.utils).values()
    if isinstance(kind, type) and issubclass(kind, django.db.utils.Error)
]
MEANINGS = {"DataError": Rejected, "IntegrityError": Conflict}


@pytest.mark.parametrize("kind", ERRORS)
def test_every_database_error_is_translated(kind: type[Exception]) -> None:
    ours = translate(kind("secret"))
    assert type(ours) is MEANINGS.get(kind.__name__, StoreAway)
    assert "secret" not in str(ours)
    assert "secret" not in describe(kind("secret"))


def test_an_unknown_error_is_temporary() -> None:
    assert type(translate(ZeroDivisionError("secret"))) is Unavailable


@pytest.mark.parametrize("error", [StoreAway(), Conflict(), Rejected("no")])
def test_our_errors_stay_what_they_are_and_travel_between_processes(error: GatewayError) -> None:
    assert translate(error) is error
    copy = pickle.loads(pickle.dumps(error))
    assert (type(copy), copy.reason) == (type(error), error.reason)
