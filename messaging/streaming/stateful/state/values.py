"""The state of one instance, by key: changes of a failed record are undone, changes of a batch are committed."""

from collections.abc import Iterable, Iterator, MutableMapping
from itertools import islice
from typing import Any

from messaging.streaming.api.partition import Key, group_of, token_of
from messaging.streaming.stateful.state.pickling import dumps, loads

Entry = tuple[Key, Any]


class KeyedState(MutableMapping[Key, Any]):
    """A mapping from keys to values. A value is replaced, never changed in place: only assignments are committed."""

    def __init__(self) -> None:
        self._entries: dict[bytes, Entry] = {}
        self._before: dict[bytes, Entry | None] = {}
        self._changed: set[bytes] = set()

    def __getitem__(self, key: Key) -> Any:
        return self._entries[token_of(key)][1]

    def __setitem__(self, key: Key, value: Any) -> None:
        token = token_of(key)
        self._before.setdefault(token, self._entries.get(token))
        self._entries[token] = (key, value)

    def __delitem__(self, key: Key) -> None:
        token = token_of(key)
        self._before.setdefault(token, self._entries[token])
        del self._entries[token]

    def __iter__(self) -> Iterator[Key]:
        return (key for key, _ in self._entries.values())

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, key: Key, default: Any = None) -> Any:
        """Return the value of a key."""
        entry = self._entries.get(token_of(key))
        return default if entry is None else entry[1]

    def entry(self, token: bytes) -> Entry | None:
        """Return the key that has this token, with its value."""
        return self._entries.get(token)

    def some(self, limit: int | None) -> list[Entry]:
        """Return all keys with their values, or so many of them."""
        return list(islice(self._entries.values(), limit))

    def undo(self) -> None:
        """Take back the changes since the last `settle`."""
        for token, entry in self._before.items():
            if entry is None:
                self._entries.pop(token, None)
            else:
                self._entries[token] = entry
        self._before.clear()

    def settle(self) -> None:
        """Keep the changes for the next commit."""
        self._changed.update(self._before)
        self._before.clear()

    def changes(self) -> Iterator[tuple[bytes, bytes | None]]:
        """Return, as bytes, each entry that changed since the last commit; None for one that is gone."""
        for token in self._changed:
            entry = self._entries.get(token)
            yield name_of(token), None if entry is None else dumps(entry)

    def mark_committed(self) -> None:
        """Forget the changes: they are in the store."""
        self._changed.clear()

    def load(self, stored: Iterable[tuple[bytes, bytes]]) -> None:
        """Take over the entries of the store."""
        self._entries = {name[1:]: loads(data) for name, data in stored}


def name_of(token: bytes) -> bytes:
    """Return the name of an entry in the store: the key's group, then its token."""
    return bytes((group_of(token),)) + token
