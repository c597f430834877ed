"""The commands that tell how things are: `status`, `check`, `graph`."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import typer

from messaging.cli.output import Json, ago, print_json, print_rows, say
from messaging.cli.run_on_cluster import RayAddress, find_running
from messaging.cli.store import cli_store
from messaging.cli.unknown_settings import unknown_settings
from messaging.errors import ConfigurationError, GatewayError
from messaging.gateway import Gateway, read_gateway
from messaging.mail.relay_client import check_relay
from messaging.mail.smtp.tls import load_certificate
from messaging.service.state_file import read_running


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(status)
    app.command()(check)
    app.command()(graph)


def status(as_json: Json = False, ray_address: RayAddress = None) -> None:
    """Tell what runs and what waits. Exit code 1 when nothing runs, or something is in its way."""
    settings = cli_store()
    from messaging.store.console.queues import counts

    address = ray_address or settings.ray_address
    running = find_running(address) if address else read_running(settings.state_dir)
    queues = counts()
    if as_json:
        print_json({"running": running, "queues": queues})
    else:
        if running is None:
            say("not running")
        else:
            age = ago(time.time() - running.since)
            say(f"{running.state} since {age}; mail on {', '.join(running.mail)}; {running.http}")
            if running.problem:
                say(running.problem)
            columns = ("worker", "node", "pid", "in", "out", "refused", "up", "state")
            print_rows("", columns, (_worker(row) for row in running.workers))
        states = ("waiting", "sent", "delivered", "failed", "expired", "cancelled")
        print_rows(
            "\nDeliveries",
            ("via", *states, "oldest waiting"),
            (
                (q.via, *(q.states.get(s, 0) for s in states), ago(q.oldest_waiting_seconds))
                for q in queues
            ),
        )
    if running is None or running.problem:
        raise typer.Exit(1)


def _worker(row: dict[str, Any]) -> tuple[object, ...]:
    state = "lost" if row.get("lost") else "idle" if row.get("idle") else "working"
    failing = f", failing: {row['failure']}" if row.get("failure") else ""
    counted = (row.get(name) for name in ("name", "node", "pid", "in", "out", "refused"))
    return (*counted, ago(row.get("up_seconds")), state + failing)


@dataclass(frozen=True, slots=True)
class Finding:
    """What `check` found out about one part: `ok` is None when the part is off."""

    part: str
    ok: bool | None
    said: str


def check(as_json: Json = False) -> None:
    """Say what is configured and what is missing, and try each connection. Sends nothing that costs."""
    gateway = read_gateway()
    findings = [
        _store(),
        *_mail(gateway),
        _http(gateway),
        *_satellites(gateway),
        *_sms(gateway),
        _operator(gateway),
        *(
            Finding("setting", None, f"{name} is no setting, and is ignored")
            for name in unknown_settings()
        ),
    ]
    if as_json:
        print_json(findings)
    else:
        words = {True: "ok", False: "FAILED", None: "off"}
        print_rows("", ("part", "", ""), ((f.part, words[f.ok], f.said) for f in findings))
    if any(finding.ok is False for finding in findings):
        raise typer.Exit(1)


def graph() -> None:
    """Print the dataflow that these settings declare."""
    from messaging.pipeline import declare

    typer.echo(str(declare(read_gateway())))


def _store() -> Finding:
    def probe() -> str:
        cli_store()
        return "can be written"

    return _tried("store", probe)


def _mail(gateway: Gateway) -> list[Finding]:
    receive, relay = _tried("mail-in", partial(_mail_in, gateway)), gateway.relay
    if relay is None:
        return [receive, Finding("mail-out", None, "SATBRIDGE_RELAY_URL is not set")]
    return [receive, _tried("mail-out", lambda: check_relay(relay) or "the relay takes our mail")]


def _mail_in(gateway: Gateway) -> str:
    found = load_certificate(gateway.smtp)
    security = (
        f"STARTTLS offered; its certificate ends on {found.expires:%Y-%m-%d}"
        if found
        else "no STARTTLS: SATBRIDGE_SMTP_CERTIFICATE is not set"
    )
    return f"{gateway.smtp.listen} for {gateway.settings.mail_domain}; {security}"


def _http(gateway: Gateway) -> Finding:
    settings = gateway.settings
    said = f"{settings.http_listen}; the world sees {settings.public_url} (SATBRIDGE_PUBLIC_URL)"
    return Finding("http-in", True, said)


def _satellites(gateway: Gateway) -> list[Finding]:
    if not gateway.satellites:
        return [
            Finding(
                "satellite", None, "no network is configured, such as SATBRIDGE_ROCKBLOCK_USERNAME"
            )
        ]
    return [
        _tried(name, partial(_probed, account.connect().check))
        for name, account in gateway.satellites.items()
    ]


def _sms(gateway: Gateway) -> list[Finding]:
    if not gateway.sms:
        return [
            Finding("sms", None, "no provider is configured, such as SATBRIDGE_TWILIO_ACCOUNT_SID")
        ]
    at = gateway.settings.public_url
    return [_tried(name, account.connect(at).check) for name, account in gateway.sms.items()]


def _operator(gateway: Gateway) -> Finding:
    told = gateway.settings.operator_addresses
    if told:
        return Finding("operator", True, f"{told} is told of every emergency")
    why = "SATBRIDGE_OPERATOR_ADDRESSES is not set: only emergency contacts are told of an SOS"
    return Finding("operator", None, why)


def _probed(probe: Callable[[], Awaitable[object]]) -> str:
    async def run() -> None:
        await probe()

    asyncio.run(run())
    return "takes our credentials"


def _tried(part: str, probe: Callable[[], str]) -> Finding:
    try:
        return Finding(part, True, probe())
    except ConfigurationError as error:
        return Finding(part, False, str(error))
    except GatewayError as error:
        return Finding(part, False, error.reason)
