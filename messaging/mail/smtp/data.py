"""Collects the bytes of one mail between DATA and the final dot (RFC 5321 section 4.5.2). Pure.

Only `<CR><LF>.<CR><LF>` ends a mail. Sequences that other servers accept as the end (`<LF>.<LF>`, `<LF>.<CR><LF>`,
`<CR>.<CR>` and the like) are text, so they cannot smuggle in a second mail. A bare CR or LF is read as a line end
and not refused: scripts send it, and it is harmless because no mail is relayed unchanged.
"""

from typing import Final

from messaging.mail.smtp.limits import ByteBudget

_END: Final = b"\r\n.\r\n"


class MailCollector:
    """Collects the chunks of one mail, at most `max_bytes`, and takes each byte from a shared budget.

    Beyond either limit it drops the mail, returns its bytes to the budget, and only searches for the end.
    Must be closed.
    """

    def __init__(self, max_bytes: int, budget: ByteBudget) -> None:
        self._max_bytes = max_bytes
        self._budget = budget
        self._buffer = bytearray(b"\r\n")  # a dot in the first line stands behind a line end too
        self._taken = 0
        self.size = 0
        self.too_big = False
        self.no_room = False

    def feed(self, chunk: bytes) -> bytes | None:
        """Add a chunk; return the bytes behind the end of the mail, None before the end."""
        search_from = max(0, len(self._buffer) - len(_END) + 1)
        self._buffer += chunk
        found = self._buffer.find(_END, search_from)
        if found < 0:
            self.size += len(chunk)
            self._charge(len(chunk))
            return None
        rest = bytes(self._buffer[found + len(_END) :])
        del self._buffer[found + 2 :]
        self.size += len(chunk) - len(rest) - 3
        self._charge(max(0, len(chunk) - len(rest) - 3))
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
        self._budget.give_back(self._taken)
        self._taken = 0
        self._buffer = bytearray()

    def _charge(self, count: int) -> None:
        if not (self.too_big or self.no_room):
            self.too_big = self.size > self._max_bytes
            self.no_room = not self.too_big and not self._budget.take(count)
            self._taken += 0 if self.too_big or self.no_room else count
        if self.too_big or self.no_room:
            tail = self._buffer[1 - len(_END) :]
            self.close()
            self._buffer = tail
