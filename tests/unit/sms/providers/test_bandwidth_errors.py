"""The table of error codes: every code of Bandwidth's page, the ranges around them, and every kind of answer."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from messaging.errors import (
    AccountBlocked,
    ConfigurationError,
    OptedOut,
    Rejected,
    Unavailable,
    Uncertain,
)
from messaging.simulator.bandwidth.errors import DESCRIPTIONS
from messaging.sms.errors import Kind, Meaning, report_probe
from messaging.sms.providers.bandwidth.errors import CODES, of_answer, of_code

SETTING = frozenset((4001, 4302, 4403, 4405, 4407, 4431, 4433, 4451, 4452, 4481, 4493, 4740)) | {
    *(4773, 4774, 4790, 4791, 4792, 4793, 4795)
}
PASSING_4 = frozenset((4702, 4780, 4781, 4785))


def kind_of(code: int) -> Kind:
    """The class of a code, told apart from the table."""
    if code == 4775:
        return Kind.OPTED_OUT
    if code in SETTING:
        return Kind.CONFIGURATION
    if code >= 9000:
        return Kind.UNKNOWN
    return Kind.PASSING if code >= 5000 or code in PASSING_4 else Kind.PERMANENT


ERRORS = {
    Kind.PERMANENT: Rejected,
    Kind.OPTED_OUT: OptedOut,
    Kind.CONFIGURATION: AccountBlocked,
    Kind.PASSING: Unavailable,
    Kind.UNKNOWN: Uncertain,
}


def test_the_table_has_every_code_of_the_page() -> None:
    assert CODES.keys() == DESCRIPTIONS.keys()


@pytest.mark.parametrize("code", DESCRIPTIONS)
def test_every_code_has_its_class_and_plain_words(code: int) -> None:
    found = of_code(code)
    assert found.kind is kind_of(code)
    assert type(found.error()) is ERRORS[found.kind]
    assert found.reason
    assert str(code) not in found.reason
    assert bool(found.setting) is (found.kind is Kind.CONFIGURATION)


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (4999, Kind.PERMANENT),
        (4100, Kind.PERMANENT),
        (5199, Kind.PASSING),
        (5699, Kind.PASSING),
        (9000, Kind.UNKNOWN),
        (0, Kind.UNKNOWN),
        (-4100, Kind.UNKNOWN),
        (None, Kind.UNKNOWN),
        ("4775", Kind.UNKNOWN),
        ([], Kind.UNKNOWN),
    ],
)
def test_a_code_that_is_not_in_the_table_goes_by_its_range(code: object, kind: Kind) -> None:
    assert of_code(code).kind is kind


@pytest.mark.parametrize(
    ("status", "body", "kind", "words"),
    [
        (400, None, Kind.PERMANENT, "not valid"),
        (400, {"fieldErrors": [{"fieldName": "to[0]"}]}, Kind.PERMANENT, "recipient"),
        (400, {"fieldErrors": [{"fieldName": "text"}]}, Kind.PERMANENT, "not valid"),
        (400, {"fieldErrors": [{"fieldName": "from"}]}, Kind.CONFIGURATION, "sending number"),
        (400, {"fieldErrors": [{"fieldName": "applicationId"}]}, Kind.CONFIGURATION, "application"),
        (401, None, Kind.CONFIGURATION, "not recognised"),
        (403, None, Kind.CONFIGURATION, "not recognised"),
        (404, None, Kind.CONFIGURATION, "not found"),
        (405, None, Kind.CONFIGURATION, "not found"),
        (406, None, Kind.PERMANENT, "406"),
        (415, None, Kind.PERMANENT, "415"),
        (302, None, Kind.CONFIGURATION, "address"),
        (418, None, Kind.PASSING, "418"),
    ],
)
def test_every_answer_has_its_class(status: int, body: object, kind: Kind, words: str) -> None:
    found = of_answer(status, body)
    assert found.kind is kind
    assert words in found.reason


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(["fieldErrors", "fieldName", "type"]), inner, max_size=3)
    ),
)


@given(status=st.integers(100, 599), body=JSON)
def test_no_answer_trips_the_table(status: int, body: object) -> None:
    assert isinstance(of_answer(status, body), Meaning)


def test_a_probe_names_the_setting() -> None:
    error = report_probe(of_answer(401, None))
    assert isinstance(error, ConfigurationError)
    assert "SATBRIDGE_BANDWIDTH_PASSWORD" in str(error)
