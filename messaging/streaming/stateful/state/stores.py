"""Opens the state store that the option `state` names: one of ours, or one of the user's own."""

from __future__ import annotations

from importlib import import_module

from messaging.streaming.api.errors import DeclarationError
from messaging.streaming.stateful.state.sql import postgres_store, sqlite_store
from messaging.streaming.stateful.state.store_protocol import MemoryStore, Store


def open_store(url: str, job: str, worker: str) -> Store:
    """Return the store of one worker. Ours open nothing before the first use. Raises DeclarationError for the URL.

    `memory:` is lost with the process. `sqlite:///folder` keeps a file for each worker in that folder, safe against
    a power cut unless `?synchronous=off` is added. `postgresql://...` keeps all workers in one table.
    `package.module.function:rest` calls that function, or class, with `(rest, job, worker)`.
    """
    scheme, _, rest = url.partition(":")
    if scheme == "memory":
        return MemoryStore()
    if scheme == "sqlite" and rest.startswith("///"):
        return sqlite_store(rest.removeprefix("///"), job, worker)
    if scheme in ("postgresql", "postgres"):
        return postgres_store(url, f"{job}/{worker}")
    if "." in scheme:
        module, _, function = scheme.rpartition(".")
        try:
            make = getattr(import_module(module), function)
        except (ImportError, AttributeError) as error:
            raise DeclarationError(f"option state: {scheme}: {error}") from None
        store: Store = make(rest, job, worker)
        return store
    raise DeclarationError(
        f"option state: {scheme}: is none of memory:, sqlite:///, postgresql://, module.function:"
    )
