from datetime import datetime

from hypothesis import given
from hypothesis import strategies as st

from messaging.simulator.hive.state import HiveDevice, HivePacket, HiveState, Status, list_item
from messaging.simulator.shared.device_payload import device_payload

TEXT = {"text": "hello", "to": "+15551230000", "protocol": "sms"}
VECTOR = bytes.fromhex("080112170a0568656c6c6f1a0c2b313535353132333030303028021801")


def test_old_hives_leave_the_message_id_out_and_new_ones_write_a_zone() -> None:
    packet = HivePacket(1, 9, b"x", 1, Status.RECEIVED)
    old = list_item(packet, with_message_id=False, zoned=False)
    assert "messageId" not in old
    assert datetime.fromisoformat(old["hiveRxTime"]).tzinfo is None
    new = list_item(packet, with_message_id=True, zoned=True)
    assert new["hiveRxTime"].endswith("Z")
    assert datetime.fromisoformat(new["hiveRxTime"]).tzinfo is not None


def test_a_device_writes_the_known_packet() -> None:
    assert device_payload([TEXT]) == VECTOR


@given(st.text(min_size=100, max_size=300), st.integers(1, 5))
def test_a_device_writes_long_texts_with_their_length(text: str, count: int) -> None:
    text = text.encode("utf-8", "replace").decode()
    payload = device_payload([{"text": text, "to": "a@b.example", "protocol": "email"}] * count)
    assert payload.count(text.encode()) >= count
    assert payload.startswith(b"\x08\x01\x12")


def test_the_end_of_a_downlink_stays_the_end() -> None:
    state = HiveState()
    state.add_device(HiveDevice(9))
    packet_id = state.put_downlink(9, b"x")
    for _ in range(5):
        state.advance(packet_id)
    assert state.counts() == {"waiting": 0, "acknowledged": 0, "delivered": 1}
