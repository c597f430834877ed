"""Collects the bytes of one mail between DATA and the final dot (RFC 5321 section 4.5.2). Pure.

Only `<CR><LF>.<CR><LF>` ends a mail. Anything that other servers may take for it (`<LF>.<LF>`, `<LF>.<CR><LF>`,
`<CR>.<CR>` and the like) is text, so no second mail can hide behind it. A bare CR or LF is then read as a line end,
not refused: scripts send it, and it is harmless here because no mail is passed on as it came.
"""

from typing import Final

from messaging.mail.smtp.limits import ByteBudget

_END: Final = b"\r\n.\r\n"


class Collector:
    """Takes the chunks of one mail, keeps at most `max_bytes`, and takes each byte from a shared budget.

    Beyond either limit it forgets what it has, gives it back to the budget, and only looks for the end.
    `close` must be called when the mail is done with.
    """

    def __init__(self, max_bytes: int, budget: ByteBudget) -> None:
        self._max_bytes = max_bytes
        self._budget = budget
        self._buffer = bytearray(b"\r\n")  # as if the mail began on a new line
        self._taken = 0
        self.size = 0
        self.too_big = False
        self.no_room = False

    def feed(self, chunk: bytes) -> bytes | None:
        """Take a chunk; return what follows the end of the mail in it, None while the mail goes on."""
        search_from = max(0, len(self._buffer) - len(_END) + 1)
        self._buffer += chunk
        found = self._buffer.find(_END, search_from)
        if found < 0:
            self.size += len(chunk)
            self._keep(len(chunk))
            return None
        rest = bytes(self._buffer[found + len(_END) :])
        del self._buffer[found + 2 :]
        self.size += len(chunk) - len(rest) - 3
        self._keep(max(0, len(chunk) - len(rest) - 3))
        return rest

    def content(self) -> bytes:
        """Return the mail without its transparent dots (nothing useful after `too_big` or `no_room`), and keep no copy.

        Its bytes stay taken from the budget until `close`.
        """
        data = bytes(memoryview(self._buffer)[2:])
        self._buffer = bytearray()
        if b"\n." in data:
            data = data.replace(b"\r\n.", b"\r\n")
        return data[1:] if data.startswith(b".") else data

    def close(self) -> None:
        """Forget the mail and give its bytes back."""
        self._budget.give_back(self._taken)
        self._taken = 0
        self._buffer = bytearray()

    def _keep(self, count: int) -> None:
        if not (self.too_big or self.no_room):
            self.too_big = self.size > self._max_bytes
            self.no_room = not self.too_big and not self._budget.take(count)
            self._taken += 0 if self.too_big or self.no_room else count
        if self.too_big or self.no_room:
            tail = self._buffer[1 - len(_END) :]
            self.close()
            self._buffer = tail
