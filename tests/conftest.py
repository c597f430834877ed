"""Fixtures for every test: a clean environment, asyncio for async tests, one Ray cluster for those that ask."""

import os
from collections.abc import Iterator

import pytest
from hypothesis import settings
from xdist.remote import Producer

from messaging.store.db.connection import set_up_django
from tests.support.examples import FAST_EXAMPLES, FAST_PROFILE
from tests.support.longest_first import LongestFirst

# Test modules import models.
set_up_django()

# How long one example takes is the machine's affair; pytest-timeout bounds the whole test.
settings.register_profile("satbridge", deadline=None)
settings.register_profile(FAST_PROFILE, deadline=None, max_examples=FAST_EXAMPLES)
settings.load_profile("satbridge")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LongestFirst | None:
    return LongestFirst(config, log) if config.getoption("dist") == "loadfile" else None


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(autouse=True, scope="session")
def clean_environment() -> None:
    for name in list(os.environ):
        if name.startswith("SATBRIDGE_"):
            del os.environ[name]


@pytest.fixture(scope="session")
def ray_cluster() -> Iterator[None]:
    """One local cluster for all tests that are marked `ray`."""
    from messaging.streaming.ray.local import local_cluster

    with local_cluster():
        yield
