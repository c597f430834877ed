"""A state store of one's own: a file for each worker, replaced as a whole with every commit."""

import os
import pickle
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import quote

from messaging.streaming.stateful.state.store_protocol import Changes, Name, StoreFailed


class FolderStore:
    """Made by `state="tests.support.streaming.folder_store.FolderStore:/a/folder"`."""

    def __init__(self, place: str, job: str, worker: str) -> None:
        self._path = Path(place) / quote(f"{job}/{worker}", safe="")

    def load(self) -> Iterable[tuple[Name, bytes]]:
        """See Store."""
        return sorted(self._values().items())

    def write(self, changes: Changes) -> None:
        """See Store."""
        both = {**self._values(), **changes}
        kept = {name: value for name, value in both.items() if value is not None}
        new = self._path.with_suffix(".new")
        try:
            new.write_bytes(pickle.dumps(kept))
            os.replace(new, self._path)
        except OSError as error:
            raise StoreFailed(type(error).__name__) from None

    def close(self) -> None:
        """See Store."""

    def _values(self) -> dict[Name, bytes]:
        if not self._path.exists():
            return {}
        values: dict[Name, bytes] = pickle.loads(self._path.read_bytes())
        return values
