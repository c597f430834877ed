"""Each registered network in turn, and a watch over everything that is logged."""

import logging
from collections.abc import Iterator

import pytest

from tests.conformance.stand import SECRET, TEXT, Stand
from tests.conformance.stands import LACKING, STANDS

# The simulators live in this process too; what their own client and server log is not ours.
NOT_OURS = ("httpx", "httpcore", "asyncio", "uvicorn")


@pytest.fixture(params=list(STANDS))
def stand(request: pytest.FixtureRequest) -> Iterator[Stand]:
    """Every network in turn; parametrize it indirectly with `those_with` to leave some out."""
    name = request.param
    with STANDS[name]() as running:
        assert (running.arrived is None) == (name in LACKING["messages to devices"])
        assert (running.refused is None) == (name in LACKING["a secret"])
        yield running


@pytest.fixture(autouse=True)
def nothing_leaks(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """No secret and no text of a message is logged, at whatever level."""
    caplog.set_level(logging.DEBUG)
    yield
    for record in caplog.get_records("call"):
        if not record.name.startswith(NOT_OURS):
            said = logging.Formatter().format(record)
            assert SECRET not in said, record.name
            assert TEXT not in said, record.name
