"""Logging of every process of the gateway: to standard error, one line each, with the id of the message."""

import logging
import re
import sys

from messaging.logs.addresses import AddressHasher
from messaging.logs.formats import FORMATS, is_line
from messaging.logs.repeats import SummingHandler

CHATTY = ("httpx", "httpcore", "twilio", "mail.log", "asyncio", "filelock")
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")

worker_log = logging.getLogger("messaging.worker")


def set_up_logging(
    level: str, log_format: str = "text", hasher: AddressHasher | None = None
) -> None:
    """Log the gateway's own records from `level` on, and only warnings of the libraries.

    A `hasher` hides the addresses in all of them.
    """
    handler = SummingHandler(sys.stderr)
    handler.setFormatter(FORMATS[log_format](hasher))
    root = logging.getLogger()
    for former in root.handlers:
        if isinstance(former, SummingHandler):
            former.close()
    root.handlers = [handler]
    root.setLevel(logging.WARNING)
    set_log_level(level)
    # Ray's own handler writes in a format of its own.
    ray_log = logging.getLogger("ray")
    ray_log.handlers, ray_log.propagate = [], True
    ray_log.setLevel(logging.ERROR)
    for name in CHATTY:
        # These write addresses and parameters of requests at lower levels.
        logging.getLogger(name).setLevel(logging.WARNING)


def set_log_level(level: str) -> None:
    """Log the gateway's own records of this process from another level on."""
    logging.getLogger("messaging").setLevel(level)


# Ray Serve advises an address that is not loopback where it runs HAProxy; on one machine it needs none.
_ADVICE = "won't accept connections from HAProxy on other nodes"


def print_worker_line(worker: str, line: str, *, is_error: bool) -> None:
    """Print a line that a process of the pipeline wrote: its log lines as they are, anything else as a record."""
    text = _COLOURS.sub("", line).rstrip()
    if is_line(text):
        sys.stderr.write(f"{text}\n")
        sys.stderr.flush()
    elif text and _ADVICE not in text:
        worker_log.log(logging.WARNING if is_error else logging.INFO, "%s: %s", worker, text)
