"""The lines that RockBLOCK answers with."""

from contextlib import suppress
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from messaging.errors import (
    GatewayError,
    Rejected,
    Unavailable,
    Uncertain,
)
from messaging.satellite.providers.rockblock.errors import read_message_id
from tests.support.satellite.ground_control import IMEI, PASSWORD, rockblock

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("OK,4114651", "4114651"),
        ("OK, 4114651 \r\n", "4114651"),
        ("FAILED,99,System Error, please, try", Unavailable),
        ("FAILED,77,Something of tomorrow", Unavailable),
        ("FAILED,15", Rejected),
        ("OK", Uncertain),
        ("OK,", Uncertain),
        ("OK,abc", Uncertain),
        ("FAILED", Uncertain),
        ("FAILED,x,y", Uncertain),
        ("<html>OK,5</html>", Uncertain),
        ("", Uncertain),
    ],
)
def test_the_line_is_read(answer: str, expected: Any) -> None:
    if isinstance(expected, str):
        assert read_message_id(answer, 1) == expected
        return
    with pytest.raises(GatewayError) as caught:
        read_message_id(answer, 1)
    assert type(caught.value) is expected


@given(st.one_of(st.text(), st.from_regex(r"(OK|FAILED),[0-9]{0,3},.*")))
def test_whatever_is_answered_ends_in_an_id_or_in_one_of_our_errors(answer: str) -> None:
    with suppress(GatewayError):
        assert read_message_id(answer, 1).isdecimal()


def test_the_simulator_takes_the_documented_query_too() -> None:
    with rockblock() as server, httpx.Client(base_url=server.url) as client:
        query = {"imei": IMEI, "username": "boss", "password": PASSWORD, "data": "48656c6c6f"}
        answer = client.post("/rockblock/MT", params=query)
        assert (answer.status_code, answer.text) == (200, "OK,1")
        assert server.downlinks() == [b"Hello"]
