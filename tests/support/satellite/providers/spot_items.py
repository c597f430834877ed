"""Pages of SPOT's feeds, and the packets in them."""

from datetime import UTC, datetime, timedelta

from messaging.model.message import Address, Network
from messaging.satellite.providers.spot.wire import ItemContext

MUM = Address(Network.EMAIL, "mum@example.org")


DAD = Address(Network.SMS, "+15551230000")


AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


READING = ItemContext(
    recipients=(MUM, DAD),
    message_types=frozenset({"OK", "CUSTOM"}),
    emergency_types=frozenset({"HELP", "SOS", "911"}),
    since=AT - timedelta(hours=1),
)
