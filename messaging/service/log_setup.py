"""Logging of every process of the gateway: to standard error, one line each, with the id of the message."""

import logging
import sys

FORMAT = "%(asctime)s %(levelname)s %(name)s %(message)s"
CHATTY = ("httpx", "httpcore", "twilio", "mail.log", "asyncio", "filelock")


class _WithMessageId(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        line = super().format(record)
        message_id = getattr(record, "message_id", None)
        return f"{line} message_id={message_id}" if message_id else line


def set_up_logging(level: str) -> None:
    """Log the gateway's own records from `level` on, and only warnings of the libraries."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_WithMessageId(FORMAT))
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger("messaging").setLevel(level)
    for name in CHATTY:
        # These write addresses and parameters of requests at lower levels.
        logging.getLogger(name).setLevel(logging.WARNING)
