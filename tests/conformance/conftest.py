"""Fixtures: each registered provider in turn, and a check of all logs."""

import logging
from collections.abc import Iterator

import pytest

from tests.conformance.stand import SECRET, TEXT, Stand
from tests.conformance.stands import LACKING, LISTS, STANDS

# The simulators run in this process too; the logs of their clients and servers are not ours.
NOT_OURS = ("httpx", "httpcore", "asyncio", "uvicorn")


@pytest.fixture(params=list(STANDS))
def stand(request: pytest.FixtureRequest) -> Iterator[Stand]:
    """Yield each provider in turn; parametrize it indirectly with `stands_with` to leave some out."""
    name = request.param
    with {**STANDS, **LISTS}[name]() as running:
        assert (running.arrived is None) == (name in LACKING["messages to devices"])
        assert (running.refused is None) == (name in LACKING["a secret"])
        yield running


@pytest.fixture(autouse=True)
def nothing_leaks(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Check that no level of the logs contains a secret or a text of a message."""
    caplog.set_level(logging.DEBUG)
    yield
    for record in caplog.get_records("call"):
        if not record.name.startswith(NOT_OURS):
            said = logging.Formatter().format(record)
            assert SECRET not in said, record.name
            assert TEXT not in said, record.name
