"""One server for the simulated Twilio of each test, and texts to send there."""

from starlette.types import Receive, Scope, Send

from messaging.sending.split import split
from messaging.simulator.twilio.server import TwilioSimulator
from messaging.sms.account import utf16_units
from tests.support.sms.twilio_gateway import SID, TOKEN

SECRET = "the-secret-in-the-text"

FRIEND = "+15550003333"


class Stage:
    """One server for all tests here; each test has a simulator of its own behind it."""

    def __init__(self) -> None:
        self.simulator = TwilioSimulator(SID, TOKEN)
        self.url = ""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.simulator.app(scope, receive, send)


LONG = "All is well on board, the wind is fair. " * 100

PARTS = split(LONG.strip(), utf16_units, 1600, 10)
