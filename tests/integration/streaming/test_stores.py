"""State stores: one contract for all, and jobs whose store fails under them."""

import asyncio
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from messaging.streaming import DeclarationError, InlineJob, StreamingContext
from messaging.streaming.stateful.state.store_protocol import (
    Changes,
    MemoryStore,
    Store,
    StoreFailed,
)
from messaging.streaming.stateful.state.stores import open_store
from tests.support.postgres_server import postgres_server_in


@pytest.fixture(scope="module")
def postgres() -> Iterator[Any]:
    with tempfile.TemporaryDirectory() as folder, postgres_server_in(Path(folder)) as server:
        yield server


OWN = "tests.support.streaming.folder_store.FolderStore"


@pytest.fixture(
    params=["memory", "sqlite", "own", pytest.param("postgres", marks=pytest.mark.postgres)]
)
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "own":
        return f"{OWN}:{tmp_path}"
    if request.param == "postgres":
        return str(request.getfixturevalue("postgres").get_uri())
    return "memory:" if request.param == "memory" else f"sqlite:///{tmp_path}/a folder"


def open_again(store: Store, url: str, name: str) -> Store:
    store.close()
    return store if isinstance(store, MemoryStore) else open_store(url, "job", name)


def test_what_was_written_is_there_in_order_and_only_for_its_worker(url: str) -> None:
    store = open_store(url, "job", "stage/0")
    assert list(store.load()) == []
    store.write({("state", b"b"): b"2", ("state", b"a\0"): b"1", ("head", b""): b""})
    store.write({("state", b"b"): None, ("state", b"c"): b"3", ("out", b"x"): b"\xff" * 100_000})
    store.write({("state", b"c"): b"4", ("state", b"gone"): None})
    other = open_store(url, "job", "stage/1")
    assert list(other.load()) == []
    other.close()
    again = open_again(store, url, "stage/0")
    assert list(again.load()) == [
        (("head", b""), b""),
        (("out", b"x"), b"\xff" * 100_000),
        (("state", b"a\0"), b"1"),
        (("state", b"c"), b"4"),
    ]
    again.close()


def test_changes_are_made_all_or_none(tmp_path: Path) -> None:
    store = open_store(f"sqlite:///{tmp_path}", "job", "s/0")
    store.load()
    store.write({("state", b"a"): b"1"})
    broken: dict[Any, Any] = {("state", b"a"): None, ("state", b"b"): object()}
    with pytest.raises(StoreFailed):
        store.write(broken)
    assert list(store.load()) == [(("state", b"a"), b"1")]
    store.close()


# Memory is never shared between lives.
@pytest.mark.parametrize(
    "url", ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)], indirect=True
)
def test_a_life_that_was_followed_by_another_writes_no_more(url: str) -> None:
    first, second = (open_store(url, "twice", "s/0") for _ in range(2))
    first.load()
    first.write({("state", b"a"): b"1"})
    second.load()
    second.write({("state", b"a"): b"2"})
    with pytest.raises(StoreFailed, match="another process"):
        first.write({("state", b"a"): b"3"})
    assert list(first.load()) == [(("state", b"a"), b"2")]
    first.close()
    second.close()


def test_a_store_that_is_unknown_is_a_mistake() -> None:
    with pytest.raises(DeclarationError, match="redis: is none of"):
        open_store("redis://nowhere", "job", "s/0")
    for missing in ("no_such.Store", f"{OWN}s", "tests.streaming.nothing.Store"):
        with pytest.raises(DeclarationError, match=f"{missing}: "):
            open_store(f"{missing}:/folder", "job", "s/0")


@pytest.mark.postgres
def test_a_database_that_goes_away_and_comes_back_is_used_again(postgres: Any) -> None:
    store = open_store(postgres.get_uri(), "away", "s/0")
    store.load()
    store.write({("state", b"a"): b"1"})
    postgres.stop()
    with pytest.raises(StoreFailed):
        store.write({("state", b"a"): b"2"})
    postgres.start()
    assert list(store.load()) == [(("state", b"a"), b"1")]
    store.close()


class Flaky(MemoryStore):
    """Fails every third time, before or after it wrote."""

    def __init__(self) -> None:
        super().__init__()
        self.writes = 0

    def write(self, changes: Changes) -> None:
        self.writes += 1
        if self.writes % 6 == 3:
            raise StoreFailed("before")
        super().write(changes)
        if self.writes % 6 == 0:
            raise StoreFailed("after")


async def _count_on_flaky_stores(records: int) -> list[tuple[int, int]]:
    seen: list[tuple[int, int]] = []
    context = StreamingContext()
    numbers = context.from_values(*range(records)).set_parallelism(2)
    pairs = numbers.map(lambda n: (n % 3, 1)).disable_chain()
    pairs.key_by(0).sum(1, name="sum").set_parallelism(2).sink(seen.append)
    async with InlineJob(context.graph(), make_store=lambda worker: Flaky()) as job:
        await job.wait()
        assert sum(row["in"] for row in job.status() if row["stage"] == "sum") == records
    return seen


def test_stores_that_fail_again_and_again_cost_time_and_nothing_else() -> None:
    seen = asyncio.run(_count_on_flaky_stores(9000))
    assert {key: max(n for k, n in seen if k == key) for key in range(3)} == dict.fromkeys(
        range(3), 3000
    )
