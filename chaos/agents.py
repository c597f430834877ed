"""Spares a starting Ray node the wait for its agent: after 15 s of it, the node would give up on a busy machine."""

import re
import subprocess
import time
from contextlib import suppress
from pathlib import Path

from chaos.processes import command_line, tree

_OPTION = re.compile(r"--(session-dir|node-id|listen-port)=(\S+)")


def tell_agent_port(node: "subprocess.Popen[bytes]") -> None:
    """Write down for the node the port that its agent was told to listen on, as the agent itself does when it is up.

    Returns when that is done, or the node has ended. Ray takes its other ports from the command line, not this one.
    """
    while node.poll() is None:
        for pid in tree(node.pid):
            told = dict(_OPTION.findall(command_line(pid)))
            if len(told) == 3:
                with suppress(OSError):
                    file = f"dashboard_agent_listen_port_{told['node-id']}"
                    (Path(told["session-dir"]) / file).write_text(told["listen-port"])
                return
        time.sleep(0.1)
