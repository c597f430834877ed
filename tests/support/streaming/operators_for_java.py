"""Python operators that a Java program names."""

import os
from pathlib import Path

from messaging.streaming import Instance


def shout(text: str) -> str:
    return text.upper()


def first(record: str, receivers: int) -> int:
    return 0


class Write:
    """Ends each line as the Java program's options say."""

    ending = ""

    def open(self, context: Instance) -> None:
        self.ending = context.job_config["ending"]

    def __call__(self, text: str) -> None:
        with Path(os.environ["JAVA_TEST_OUTPUT"]).open("a") as file:
            file.write(f"{text}{self.ending}\n")


write = Write()
