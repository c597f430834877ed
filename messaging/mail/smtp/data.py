"""Collects the bytes of one mail between DATA and the final dot (RFC 5321 section 4.5.2). Pure.

Only `<CR><LF>.<CR><LF>` ends a mail. Sequences that other servers accept as the end (`<LF>.<LF>`, `<LF>.<CR><LF>`,
`<CR>.<CR>` and the like) are text, so they cannot smuggle in a second mail. A bare CR or LF is read as a line end
and not refused: scripts send it, and it is harmless because no mail is relayed unchanged.
"""

from dataclasses import dataclass
from typing import Final

_END: Final = b"\r\n.\r\n"


@dataclass(slots=True)
class ByteBudget:
    """The bytes that all mails being received may have together; collectors count in `used`."""

    max_bytes: int
    used: int = 0


class MailCollector:
    """Collects the chunks of one mail, at most `max_bytes`, and counts its bytes in a shared budget.

    Beyond either limit it drops the mail, returns its bytes to the budget, and only searches for the end.
    Must be closed.
    """

    def __init__(self, max_bytes: int, budget: ByteBudget) -> None:
        self._max_bytes = max_bytes
        self._budget = budget
        self._buffer = bytearray(b"\r\n")  # the first line may be the final dot
        self._counted = 0
        self.size = 0
        self.too_big = False
        self.no_room = False

    def feed(self, chunk: bytes) -> bytes | None:
        """Add a chunk; return the bytes behind the end of the mail, None before the end."""
        search_from = max(0, len(self._buffer) - len(_END) + 1)
        self._buffer += chunk
        end = self._buffer.find(_END, search_from)
        rest, count = None, len(chunk)
        if end >= 0:
            rest = bytes(self._buffer[end + len(_END) :])
            count = len(chunk) - len(rest) - 3
            del self._buffer[end + 2 :]
        self.size += count
        count = max(0, count)
        if not (self.too_big or self.no_room):
            self.too_big = self.size > self._max_bytes
            self.no_room = not self.too_big and (self._budget.used + count > self._budget.max_bytes)
        if self.too_big or self.no_room:
            tail = self._buffer[1 - len(_END) :]  # the end may begin in this chunk
            self.close()
            self._buffer = tail
        else:
            self._budget.used += count
            self._counted += count
        return rest

    def content(self) -> bytes:
        """Return the mail without its transparent dots, and keep no copy; not for use after `too_big` or `no_room`.

        Its bytes count against the budget until `close`.
        """
        data = bytes(memoryview(self._buffer)[2:])
        self._buffer = bytearray()
        if b"\n." in data:
            data = data.replace(b"\r\n.", b"\r\n")
        return data[1:] if data.startswith(b".") else data

    def close(self) -> None:
        """Drop the mail and return its bytes to the budget. Idempotent."""
        self._budget.used -= self._counted
        self._counted = 0
        self._buffer = bytearray()
