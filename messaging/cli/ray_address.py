"""The options that name the runtime of a command, and its Ray cluster."""

from typing import Annotated

import typer

RayAddress = Annotated[
    str | None,
    typer.Option(help="The Ray cluster: host:port, or auto. Else SATBRIDGE_RAY_ADDRESS."),
]

Runtime = Annotated[
    str | None,
    typer.Option(
        help="ray, or inline for one process without Ray, on small machines. Else SATBRIDGE_RUNTIME."
    ),
]


def overrides(ray_address: str | None, runtime: str | None = None) -> dict[str, str]:
    """Return the settings that the options replace."""
    options = {"ray_address": ray_address, "runtime": runtime}
    return {name: value for name, value in options.items() if value}
