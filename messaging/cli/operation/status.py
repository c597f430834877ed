"""The command `status`."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

import typer

from messaging.cli.output import (
    Json,
    format_duration,
    print_error,
    print_json,
    print_table,
    print_text,
)
from messaging.cli.ray_address import RayAddress
from messaging.cli.store import no_store, open_settings_store
from messaging.config.env import read
from messaging.config.settings import Settings
from messaging.errors import Unavailable
from messaging.service.state_file import RunningService, read_running
from messaging.store.admission.mailboxes import without_mailbox
from messaging.store.console.directory import open_subscribers
from messaging.store.console.emergencies import EmergencyRow, recent_emergencies
from messaging.store.console.queues import QueueRow, counts
from messaging.store.console.readable import printable
from messaging.store.db.room import has_no_store

STATES = ("held", "waiting", "sent", "delivered", "failed", "expired", "cancelled", "refused")
MAX_NAMES = 20
"""How many subscribers one line names."""

app = typer.Typer()


@app.command()
def status(as_json: Json = False, ray_address: RayAddress = None) -> None:
    """Print the state of the service and its queues. Exit code 1 when nothing runs, or something prevents it."""
    settings = read(Settings)
    is_missing = has_no_store(settings)
    if not is_missing:
        open_settings_store(only_reads=True)
    if address := ray_address or settings.ray_address:
        running = _ask_cluster(address)
    else:
        running = read_running(settings.state_dir)
    queues = [] if is_missing else counts()
    emergencies = [] if is_missing else recent_emergencies()
    if as_json:
        found = {"running": _with_times(running), "queues": queues, "emergencies": emergencies}
        print_json({**found, "without_mailbox": [] if is_missing else without_mailbox()})
    else:
        for one in emergencies:
            moment = f"{one.created_at:%Y-%m-%d %H:%M} UTC"
            print_text(f"{moment} {one.headline}: {one.state} (message {one.id[:12]})")
            for line in emergency_lines(one):
                print_text(line)
        if running is None:
            where = address or f"SATBRIDGE_STATE_DIR is {settings.state_dir}"
            print_text(f"not running ({where})")
        else:
            _print_service(running)
        if is_missing:
            print_text(no_store(settings))
        else:
            _print_queues(queues)
            for _, text in subscriber_warnings():
                print_text(f"\n{text}")
    if running is None or running.problem:
        raise typer.Exit(1)


def subscriber_warnings() -> Iterator[tuple[str, str]]:
    """Yield the subject and the text of each warning about subscribers, for `check` and `status`."""
    if names := open_subscribers():
        yield "senders", open_line(names)
    if names := without_mailbox():
        yield "held", without_mailbox_line(names)


def open_line(names: Sequence[str]) -> str:
    """Return the warning about subscribers whose devices get messages of all authors."""
    shown = ", ".join(names[:MAX_NAMES]) + (", …" if len(names) > MAX_NAMES else "")
    return (
        f"all authors can write to the devices of {shown}, at their cost; only contacts and those whom"
        " a device wrote to can after: satbridge users change NAME --senders known"
    )


def without_mailbox_line(names: Sequence[str]) -> str:
    """Return the warning about subscribers who do not hear of the messages that are held for them."""
    shown = ", ".join(names[:MAX_NAMES]) + (", …" if len(names) > MAX_NAMES else "")
    return (
        f"no mailbox hears of messages that are held for {shown}; one does once it is confirmed:"
        " satbridge users change NAME --mail ADDRESS"
    )


def _ask_cluster(address: str) -> RunningService | None:
    """Return the state of the service on the cluster; None when there is none, or when it does not answer."""
    from messaging.service.cluster import join_cluster  # loads Ray

    try:
        with join_cluster(address) as service:
            return service.report()
    except Unavailable as error:
        print_error(error.reason)
        return None


def _with_times(running: RunningService | None) -> dict[str, Any] | None:
    """Return the report with its times in ISO 8601 too, beside the seconds since 1970."""
    if running is None:
        return None
    times = {
        f"{name}_time": datetime.fromtimestamp(seconds, UTC)
        for name, seconds in (("since", running.since), ("at", running.at))
    }
    return {**asdict(running), **times}


def _print_service(running: RunningService) -> None:
    age = format_duration(time.time() - running.since)
    print_text(f"{running.state} since {age}; mail on {', '.join(running.mail)}; {running.http}")
    if running.admin:
        print_text(f"the admin is at {running.admin}")
    if running.problem:
        print_text(running.problem)
    for line in blocked_lines(running.workers):
        print_text(line)
    rows = []
    for worker in running.workers:
        state = "lost" if worker.get("lost") else "idle" if worker.get("idle") else "working"
        failing = f", failing: {worker['failure']}" if worker.get("failure") else ""
        values = (worker.get(name) for name in ("name", "node", "pid", "in", "out", "refused"))
        rows.append((*values, format_duration(worker.get("up_seconds")), state + failing))
    print_table("", ("worker", "node", "pid", "in", "out", "refused", "up", "state"), rows)


def blocked_lines(workers: list[dict[str, Any]]) -> Iterator[str]:
    """Return a line for each account that is blocked until an operator acts."""
    found = [one for row in workers for one in (row.get("blocked") or {}).items()]
    for via in sorted({via for via, _ in found}):
        accounts = [account for name, account in found if name == via]
        since = min(datetime.fromisoformat(one["since"]) for one in accounts)
        number = sum(one["attempts"] for one in accounts)
        age = format_duration((datetime.now(UTC) - since).total_seconds())
        last = accounts[-1]
        yield (
            f"BLOCKED: {via} has been blocked for {age} ({number} attempts):"
            f" {last['reason']}; {last['action']}"
        )


def emergency_lines(emergency: EmergencyRow) -> Iterator[str]:
    """Return a line for each recipient whom the emergency has not reached."""
    for one in emergency.unreached:
        lost = f", lost {one.losses} times" if one.losses and one.is_tried else ""
        end = (
            "it is still tried, a lost text less and less often"
            if one.is_tried
            else f"it is tried no more until `satbridge messages retry {emergency.id[:12]}`"
        )
        reason = printable(one.reason) or "no answer yet"
        yield f"NOT REACHED: {one.recipient} by {one.via}{lost} ({reason}); {end}"


def _print_queues(queues: list[QueueRow]) -> None:
    rows = (
        (q.via, *(q.states.get(s, 0) for s in STATES), format_duration(q.oldest_waiting_seconds))
        for q in queues
    )
    print_table("\nDeliveries", ("via", *STATES, "oldest waiting"), rows)
