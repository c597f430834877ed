"""Parts that the `simulate` commands share."""

from typing import Annotated, Any

import httpx
import typer

from messaging.cli.output import print_error, print_text
from messaging.errors import ConfigurationError
from messaging.service.signals import stopping_signal
from messaging.simulator.shared.serving import Serving

ASK_SECONDS = 20.0
Host = Annotated[str, typer.Option(help="Where to listen.")]
Port = Annotated[int, typer.Option(help="The port; 0 is any free one.")]


def serve(app: Any, host: str, port: int, what: str, path: str, hint: str = "") -> None:
    """Serve a simulator until a signal stops it, after printing its address."""
    try:
        serving = Serving(app, host, port)
    except OSError as error:
        raise port_error("--port", host, port, error) from None
    with stopping_signal() as stop, serving:
        print_text(f"{what} at {serving.url}{path}")
        if hint:
            print_text(hint)
        stop.wait()


def port_error(option: str, host: str, port: int, error: OSError) -> ConfigurationError:
    """Return the error for an option whose port cannot be used."""
    return ConfigurationError(f"{option}: cannot listen on {host}:{port}: {error.strerror}")


def post(url: str, content: Any) -> Any:
    """Use a switch of a simulator and return its answer. Raises ConfigurationError."""
    try:
        answer = httpx.post(url, json=content, timeout=ASK_SECONDS)
        answer.raise_for_status()
        return answer.json()
    except httpx.HTTPStatusError as error:
        raise ConfigurationError(f"{url}: {error.response.text}") from None
    except (httpx.HTTPError, ValueError) as error:
        raise ConfigurationError(
            f"{url}: {type(error).__name__}; is the simulator running?"
        ) from None


def print_acceptance(answer: dict[str, Any]) -> None:
    """Print whether the gateway accepted a message of a simulator. Raises typer.Exit when it did not."""
    if not answer["taken"]:
        print_error(f"the gateway did not take it: {answer['failure'] or answer['status']}")
        raise typer.Exit(1)
    print_text("the gateway took it")


def one_of(value: str, known: tuple[str, ...]) -> str:
    """Return the value. Raises ConfigurationError unless it is a known one."""
    if value not in known:
        raise ConfigurationError(f"{value!r} is none of: {', '.join(known)}")
    return value
