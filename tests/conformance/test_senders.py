"""The table of outcomes of every sender: never a message lost, never one sent twice knowingly, never a secret told."""

import asyncio
import pickle
from dataclasses import dataclass, replace

import pytest

from messaging.errors import ConfigurationError, GatewayError
from messaging.model.message import Outcome, Result
from messaging.satellite.account import MailedAccount
from messaging.simulator.shared.faults import Faults
from tests.conformance.sending import delivery, outcome_of, sender_of, sending
from tests.conformance.stand import SECRET, TEXT, AnyAccount, Stand
from tests.conformance.stands import STANDS, stands_with
from tests.support.eventually import eventually
from tests.support.send_deliveries import outcomes_of

pytestmark = pytest.mark.anyio

LATER = {Result.UNAVAILABLE}
NOBODY_KNOWS = {Result.UNCERTAIN}
EITHER = LATER | NOBODY_KNOWS
NOT_YET = {Result.REJECTED, Result.UNAVAILABLE}


@dataclass(frozen=True)
class Row:
    """A fault, the outcomes that it may have, and how many messages the network then has; None: does not matter."""

    faults: Faults
    results: set[Result]
    arrives: int | None


TABLE = {
    "sent": Row(Faults(), {Result.SENT}, 1),
    "slow": Row(Faults(latency_seconds=0.05), {Result.SENT}, 1),
    "400": Row(Faults(error_rate=1, error_status=400), NOT_YET, 0),
    "401": Row(Faults(error_rate=1, error_status=401), LATER, 0),
    "403": Row(Faults(error_rate=1, error_status=403), NOT_YET, 0),
    "404": Row(Faults(error_rate=1, error_status=404), NOT_YET, 0),
    "429": Row(Faults(requests_per_second=0.001, retry_after_seconds=7), LATER, 0),
    "500": Row(Faults(error_rate=1, error_status=500), EITHER, 0),
    "503": Row(Faults(error_rate=1, error_status=503), EITHER, 0),
    "dropped": Row(Faults(refuse_rate=1), NOBODY_KNOWS, 0),
    "hangs before": Row(Faults(hang_before_rate=1), NOBODY_KNOWS, 0),
    "hangs after": Row(Faults(hang_after_rate=1), NOBODY_KNOWS, 1),
    "garbage": Row(Faults(garbage_rate=1), NOBODY_KNOWS, 1),
}


TWO_WAY = stands_with("messages to devices")
two_way = pytest.mark.parametrize("stand", TWO_WAY, indirect=True)


def count(stand: Stand) -> int:
    assert stand.arrived is not None
    return stand.arrived()


def hasty(account: AnyAccount) -> AnyAccount:
    """The account with little patience: a third of it is for connecting. What goes by mail has that of its relay."""
    if isinstance(account, MailedAccount):
        return account
    return account.model_copy(update={"timeout_seconds": 3})


@two_way
@pytest.mark.parametrize("row", TABLE.values(), ids=TABLE)
async def test_every_answer_has_its_outcome(stand: Stand, row: Row) -> None:
    account = hasty(stand.account) if "hang" in repr(row.faults.model_fields_set) else stand.account
    async with sending(account) as sender:
        # Logged in and connected, so that the fault meets the message and nothing before it.
        first = await outcome_of(sender, delivery(stand, "the first"))
        assert first.result is Result.SENT, first
        stand.faults(row.faults)
        outcome = await outcome_of(sender, delivery(stand))
        assert outcome.result in row.results, outcome
        assert bool(outcome.reason) == (outcome.result is not Result.SENT)
        assert TEXT not in outcome.reason
        assert SECRET not in repr(outcome)
        if row.arrives is not None:
            assert count(stand) == 1 + row.arrives
        stand.faults(Faults())
        after = await outcome_of(sender, delivery(stand, "the last"))
    assert after.result in {Result.SENT, *LATER}, after


@pytest.mark.parametrize("stand", stands_with("messages to devices", "HTTP"), indirect=True)
async def test_after_an_error_over_there_the_outcome_is_unknown(stand: Stand) -> None:
    async with sending(stand.account) as sender:
        await outcome_of(sender, delivery(stand, "the first"))
        stand.faults(Faults(error_rate=1, error_status=500))
        outcome = await outcome_of(sender, delivery(stand))
    assert outcome.result is Result.UNCERTAIN, outcome


@two_way
async def test_what_was_sent_has_an_id_of_its_own(stand: Stand) -> None:
    async with sending(stand.account) as sender:
        outcomes = [await outcome_of(sender, delivery(stand, f"text {n}")) for n in range(3)]
    ids = [part.network_id for outcome in outcomes for part in outcome.submitted]
    assert len(set(ids)) == 3
    assert all(ids)


@pytest.mark.parametrize(
    "stand", stands_with("messages to devices", "a wish to wait"), indirect=True
)
async def test_the_wish_to_wait_is_in_the_outcome(stand: Stand) -> None:
    async with sending(stand.account) as sender:
        await outcome_of(sender, delivery(stand, "the first"))
        stand.faults(Faults(requests_per_second=0.001, retry_after_seconds=7))
        assert (await outcome_of(sender, delivery(stand))).retry_after_seconds == 7


@two_way
async def test_a_long_text_arrives_in_parts_that_are_all_named(stand: Stand) -> None:
    async with sending(stand.account) as sender:
        outcome = await outcome_of(sender, delivery(stand, "the wind is rising " * 200))
    assert outcome.result is Result.SENT, outcome
    assert len(outcome.submitted) == outcome.parts_sent == count(stand)
    assert outcome.parts_sent > 1


@two_way
async def test_a_closed_port_means_later(stand: Stand) -> None:
    async with sending(stand.unreachable) as sender:
        outcome = await outcome_of(sender, delivery(stand))
    assert outcome.result is Result.UNAVAILABLE
    assert SECRET not in repr(outcome)


@pytest.mark.parametrize("stand", stands_with("messages to devices", "a secret"), indirect=True)
async def test_a_wrong_secret_is_never_the_messages_fault(stand: Stand) -> None:
    assert stand.refused is not None
    async with sending(stand.refused) as sender:
        outcome = await outcome_of(sender, delivery(stand))
    assert outcome.result is Result.UNAVAILABLE
    assert SECRET not in repr(outcome)
    assert count(stand) == 0


@two_way
async def test_an_attempt_whose_lease_has_passed_is_not_made(stand: Stand) -> None:
    async with sending(stand.account) as sender:
        assert await outcomes_of(sender, delivery(stand, seconds=-1)) == []
    assert count(stand) == 0


@two_way
async def test_what_was_sent_and_not_reported_yet_is_not_sent_again(stand: Stand) -> None:
    first, reported = delivery(stand), asyncio.Event()
    told: list[Outcome] = []

    async def report(outcome: Outcome) -> None:
        told.append(outcome)
        await reported.wait()

    async with sending(stand.account) as sender:
        waiting = asyncio.create_task(sender.process_single(first, report))
        await eventually(lambda: len(told) == 1)
        assert await outcomes_of(sender, replace(first, attempt=2, uncertain=True)) == []
        assert told[0].result is Result.SENT
        assert count(stand) == 1
        reported.set()
        await waiting
        # Now the store knows of it: whoever asks again means it.
        await outcomes_of(sender, replace(first, attempt=3))
    assert count(stand) == 2


@two_way
async def test_what_the_store_knows_is_sent_again_though_its_sender_has_not_heard_that(
    stand: Stand,
) -> None:
    first, told, heard = delivery(stand), asyncio.Event(), asyncio.Event()

    async def report(_: Outcome) -> None:
        told.set()
        await heard.wait()

    async with sending(stand.account) as sender:
        waiting = asyncio.create_task(sender.process_single(first, report))
        await told.wait()
        # Its lease did not end without an outcome, so the store has it: the network lost it since, say.
        [outcome] = await outcomes_of(sender, replace(first, attempt=2, uncertain=False))
        heard.set()
        await waiting
    assert outcome.result is Result.SENT
    assert count(stand) == 2


@pytest.mark.parametrize("stand", [name for name in STANDS if name not in TWO_WAY], indirect=True)
async def test_a_one_way_network_refuses_for_good(stand: Stand) -> None:
    async with sending(stand.account) as sender:
        outcome = await outcome_of(sender, delivery(stand))
    assert outcome.result is Result.REJECTED
    assert outcome.reason


async def test_the_probe_says_yes_and_costs_nothing(stand: Stand) -> None:
    await probe(stand.account)
    if stand.arrived is not None:
        assert stand.arrived() == 0


async def test_the_probe_says_what_is_wrong_without_the_secret(stand: Stand) -> None:
    for account in (stand.unreachable, stand.refused):
        if account is not None:
            with pytest.raises((GatewayError, ConfigurationError)) as caught:
                await probe(account)
            assert str(caught.value)
            assert SECRET not in repr(caught.value)


async def probe(account: AnyAccount) -> None:
    client = account.connect()
    try:
        await client.check()
    finally:
        await client.aclose()


async def test_no_shown_form_of_an_account_has_its_secret(stand: Stand) -> None:
    account = stand.account
    for shown in (
        repr(account),
        str(account),
        repr(account.model_dump()),
        account.model_dump_json(),
    ):
        assert SECRET not in shown


async def test_account_network_and_sender_travel_before_they_are_used(stand: Stand) -> None:
    again = pickle.loads(pickle.dumps(stand.account))
    assert again == stand.account
    assert pickle.loads(pickle.dumps(again.connect()))
    assert pickle.loads(pickle.dumps(sender_of(again)))
