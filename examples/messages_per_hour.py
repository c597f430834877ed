"""A second job beside the gateway: how many messages each subscriber had in each hour.

    python -m examples.messages_per_hour

reads the gateway's settings, follows its store, and prints a line for each subscriber and hour when the hour is
over. Its own state is kept in the state folder, so that it goes on where it stood.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial

from messaging.config.env import read
from messaging.config.settings import Settings
from messaging.store.message_log import AcceptedMessage, MessageLog
from messaging.streaming import StreamingContext
from messaging.streaming.windows.window_steps import Window

HOUR = 3600.0


def when(taken: AcceptedMessage) -> float:
    """The event time of a message: when it was taken."""
    return taken.at


def declare(
    settings: Settings, report: Callable[[Window], object], settle_seconds: float = 10.0
) -> StreamingContext:
    """Count the messages of each subscriber by the hour of their arrival; those of nobody are left out."""
    context = (
        StreamingContext.Builder().option("state", f"sqlite:///{settings.state_dir}/jobs").build()
    )
    taken = context.read_from(partial(MessageLog, settings, settle_seconds), name="messages")
    hours = taken.filter(lambda message: bool(message.subscriber)).key_by("subscriber")
    hours.window(HOUR, time=when).count(name="per-hour").sink(report)
    return context


def tell(window: Window) -> None:
    """Print one line."""
    hour = datetime.fromtimestamp(window.start, UTC)
    print(f"{hour:%Y-%m-%d %H}h  {window.key}: {window.value} messages", flush=True)


if __name__ == "__main__":
    declare(read(Settings), tell).execute("messages-per-hour")
