"""Operators that double numbers, refuse some of them, or send them on."""

import threading


class Refused(Exception):
    pass


class Doubler:
    """A synchronous durable operator that refuses negative numbers and fails on 13."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.threads: set[str] = set()
        self.taken_back: list[int] = []

    def process(self, records: list[int]) -> list[list[int] | Exception]:
        self.batches.append(records)
        self.threads.add(threading.current_thread().name)
        if 13 in records:
            raise ValueError("a secret 13")
        return [Refused("negative") if n < 0 else [n * 2] for n in records]

    def take_back(self, outputs: list[int]) -> None:
        self.taken_back += outputs


class Sender:
    """Acts on an outside world that fails as told, at most once for each record."""

    tries: list[int]

    def __init__(self) -> None:
        self.tries = []

    async def process(self, records: list[int]) -> list[list[str] | Exception]:
        self.tries += records
        return [Refused("no") if n == 666 else [f"sent {n}"] for n in records]
