"""Python operators that a Java program names."""

import os
from pathlib import Path


def shout(text: str) -> str:
    return text.upper()


def first(record: str, receivers: int) -> int:
    return 0


def write(text: str) -> None:
    with Path(os.environ["JAVA_TEST_OUTPUT"]).open("a") as file:
        file.write(text + "\n")
