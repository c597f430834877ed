"""Lets a Ray node start without waiting for its agent: on a busy machine the wait of 15 s would end the node."""

import re
import subprocess
import time
from contextlib import suppress
from pathlib import Path

from chaos.processes import command_line, tree

_OPTION = re.compile(r"--(session-dir|node-id|listen-port)=(\S+)")


def tell_agent_port(node: "subprocess.Popen[bytes]") -> None:
    """Store the port of the node's agent in the file that the agent writes once it is up.

    Returns when that is done, or the node has ended. Ray takes its other ports from the command line, not this one.
    """
    while node.poll() is None:
        for pid in tree(node.pid):
            options = dict(_OPTION.findall(command_line(pid)))
            if len(options) == 3:
                with suppress(OSError):
                    file = f"dashboard_agent_listen_port_{options['node-id']}"
                    (Path(options["session-dir"]) / file).write_text(options["listen-port"])
                return
        time.sleep(0.1)
