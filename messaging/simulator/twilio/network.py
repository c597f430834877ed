"""The faults of the simulated Twilio: those of every simulator, with the errors in Twilio's own words."""

from starlette.types import ASGIApp

from messaging.simulator.shared.faults import Dice
from messaging.simulator.shared.faulty import Faulty
from messaging.simulator.twilio.codes import refusal
from messaging.simulator.twilio.texts import API


class Network(Faulty):
    """Stands before the application; calls to Twilio's API meet the faults, webhooks and switches do not."""

    def __init__(self, app: ASGIApp, dice: Dice) -> None:
        super().__init__(app, dice, API)

    def _instead(self) -> ASGIApp | None:
        faults = self._dice.faults
        if self._dice.over_rate_limit():
            return refusal(20429, headers={"Retry-After": str(faults.retry_after_seconds)})
        if self._dice.happens(faults.error_rate):
            return refusal(20500, status=faults.error_status)
        return None
