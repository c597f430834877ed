"""One running gateway for each store."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.acceptance.running_gateway import RunningGateway, running
from tests.support.postgres_server import postgres_server_in


@pytest.fixture(scope="module")
def own_postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A PostgreSQL server that these tests may stop and start."""
    with postgres_server_in(tmp_path_factory.mktemp("postgres")) as server:
        yield server


@pytest.fixture(
    scope="module", params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)]
)
def store(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def gateway(
    store: str, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningGateway]:
    folder: Path = tmp_path_factory.mktemp(store)
    if store == "sqlite":
        url = f"sqlite:///{folder}/store.sqlite3"
    else:
        url = request.getfixturevalue("own_postgres").get_uri()
    with running(url, folder) as gateway:
        yield gateway
