"""The command that a pod runs before it ends: `prepare-for-shutdown`."""

from typing import Annotated

import typer

from messaging.cli.output import print_error, print_text
from messaging.config.env import read
from messaging.config.settings import Settings
from messaging.errors import Unavailable
from messaging.service.job_name import JOB
from messaging.streaming.api import StreamingError
from messaging.streaming.ops.node_drain import drain_listeners
from messaging.streaming.ray.local import local_cluster

app = typer.Typer()


@app.command()
def prepare_for_shutdown(
    seconds: Annotated[
        float | None, typer.Option(help="How long to wait; by default as long as a drain may take.")
    ] = None,
) -> None:
    """Drain mail-in on this Ray node, because the node is about to end; a preStop hook. The gateway goes on elsewhere.

    Exit code 1 when mails were still in work at the end of the time, or the cluster does not answer.
    """
    settings = read(Settings)
    longest = settings.drain_seconds if seconds is None else seconds
    try:
        with local_cluster(settings.ray_address or "auto", JOB.namespace):
            drained = drain_listeners(JOB, settings.unready_seconds, longest)
    except (StreamingError, ConnectionError) as error:
        raise Unavailable(f"the cluster does not answer: {type(error).__name__}") from None
    if drained is None:
        print_error("not everything was settled in time")
        raise typer.Exit(1)
    print_text(f"drained: {', '.join(drained)}" if drained else "nothing listens on this node")
