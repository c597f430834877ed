"""The option that names the Ray cluster of a command."""

from typing import Annotated

import typer

RayAddress = Annotated[
    str | None,
    typer.Option(help="The Ray cluster: host:port, or auto. Else SATBRIDGE_RAY_ADDRESS."),
]


def overrides(ray_address: str | None) -> dict[str, str]:
    """Return the settings that the option replaces."""
    return {"ray_address": ray_address} if ray_address else {}
