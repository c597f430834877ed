"""The table of error codes: every code of the provider notes, and what is unknown."""

import pytest

from messaging.errors import AccountBlocked, ConfigurationError, OptedOut, Rejected, Unavailable
from messaging.sms.errors import Kind, report_probe
from messaging.sms.providers.twilio.errors import MEANINGS, meaning

PERMANENT = [21211, 21265, 21266, 21408, 21612, 21614, 21635, 21617, 21619]
PERMANENT_LATER = [30004, 30005, 30006, 30007, 30450, 30036, 63003, 63007, 63015, 63016, 63024]
CONFIGURATION = [20003, 20404, 21212, 21606, 21608, 30002, 30032, 30034]
SERVICE = [21609, 21701, 21703, 21705, 21711]
PASSING = [20429, 21611, 30001, 30003, 30008, 63018]


def test_the_table_is_whole() -> None:
    known = [*PERMANENT, *PERMANENT_LATER, *CONFIGURATION, *SERVICE, *PASSING, 21610]
    assert sorted(known) == sorted(MEANINGS)


@pytest.mark.parametrize(
    ("codes", "kind", "error"),
    [
        (PERMANENT + PERMANENT_LATER, Kind.PERMANENT, Rejected),
        ([21610], Kind.OPTED_OUT, OptedOut),
        (CONFIGURATION + SERVICE, Kind.CONFIGURATION, AccountBlocked),
        (PASSING, Kind.PASSING, Unavailable),
    ],
)
def test_every_code_has_its_class(codes: list[int], kind: Kind, error: type[Exception]) -> None:
    for code in codes:
        found = meaning(code, 400)
        assert found.kind is kind, code
        assert type(found.error()) is error
        assert found.reason
        assert bool(found.setting) is (kind is Kind.CONFIGURATION)


@pytest.mark.parametrize(
    ("code", "status", "kind"),
    [
        (99999, 400, Kind.PASSING),
        (None, None, Kind.PASSING),
        ("<script>", "nonsense", Kind.PASSING),
        ([], 422, Kind.PASSING),
        (None, 401, Kind.CONFIGURATION),
        (70051, 403, Kind.CONFIGURATION),
        (404, 404, Kind.CONFIGURATION),
        (302, 302, Kind.CONFIGURATION),
    ],
)
def test_an_unknown_code_is_temporary_or_explained_by_its_status(
    code: object, status: object, kind: Kind
) -> None:
    found = meaning(code, status)
    assert found.kind is kind
    assert "script" not in found.reason


def test_the_opt_out_is_said_in_plain_words() -> None:
    assert "STOP" in meaning(21610, 400).reason
    assert isinstance(meaning(21610, 400).error(), OptedOut)


def test_a_probe_names_the_setting() -> None:
    error = report_probe(meaning(20003, 401))
    assert isinstance(error, ConfigurationError)
    assert "SATBRIDGE_TWILIO_AUTH_TOKEN" in str(error)
