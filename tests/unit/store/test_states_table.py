"""The table of states: complete, in the documentation as in the code, and with settings that there are."""

import pytest

from messaging.config.settings import Settings
from messaging.model.message import Network
from messaging.store.states import (
    DEAD,
    FINAL,
    STAGES,
    TRANSITIONS,
    TRANSITIONS_BY_HAND,
    Stage,
    State,
    longest_seconds,
)
from tests.support.paths import ROOT

DOCUMENT = ROOT / "docs" / "states.md"


def line(stage: Stage) -> str:
    settings = ", ".join(f"`{name}`" for name in stage.settings)
    cells = (stage.name, f"`{stage.state}`", stage.longest, stage.ended_by, settings)
    return "| " + " | ".join(cells).rstrip() + " |"


def test_the_document_shows_the_table_of_the_code() -> None:
    rows = [row for row in DOCUMENT.read_text().splitlines() if row.count("|") == 6]
    assert rows[2:] == [line(stage) for stage in STAGES]


def test_every_state_has_a_row() -> None:
    assert {stage.state for stage in STAGES} == set(State)


@pytest.mark.parametrize("stage", STAGES, ids=lambda stage: stage.name)
def test_only_a_waiting_delivery_has_an_end_of_its_own_and_settings_that_bound_it(
    stage: Stage,
) -> None:
    assert bool(stage.settings) == (stage.state not in FINAL)
    for name in stage.settings:
        for kind in ("mail", "satellite", "sms"):
            assert name.replace("*", kind) in Settings.model_fields


def test_no_state_is_a_trap_and_the_final_ones_are_final() -> None:
    by_hand = {State.REFUSED}
    assert all((State.WAITING, end) in TRANSITIONS for end in FINAL - {State.DELIVERED} - by_hand)
    assert all((State.HELD, end) in TRANSITIONS_BY_HAND for end in {State.WAITING} | by_hand)
    assert {after for state, after in TRANSITIONS if state is State.HELD} == {
        State.EXPIRED,
        State.WAITING,
        State.REFUSED,
    }
    changing = {state for state in FINAL for after in State if (state, after) in TRANSITIONS}
    assert changing == {State.SENT}
    assert set(DEAD) == {State.FAILED, State.EXPIRED, State.CANCELLED}


def test_the_longest_wait_is_a_life_a_lease_and_a_poll() -> None:
    assert longest_seconds(Settings(), Network.SMS) == 24 * 3600 + 120 + 1
