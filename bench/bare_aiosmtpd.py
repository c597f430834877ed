"""Plain aiosmtpd with a handler that stores nothing: the cost of the protocol alone. Runs as a process."""

import asyncio
import sys
from typing import Any

from aiosmtpd.smtp import SMTP


class Nothing:
    """Accepts every mail and drops it."""

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        """Say yes."""
        return "250 OK"


async def main() -> None:
    """Serve on a free port, which is printed."""
    server = await asyncio.get_running_loop().create_server(
        lambda: SMTP(Nothing(), hostname="bare"), "127.0.0.1", 0, backlog=1024
    )
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
