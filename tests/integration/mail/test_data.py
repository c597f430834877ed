"""The end of a mail, and the limits on its bytes."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from messaging.mail.smtp.clients import ByteBudget
from messaging.mail.smtp.session import MailCollector
from tests.support.eventually import eventually
from tests.support.mail.wire import MAIL, run_server

ENDINGS = [
    b"\n.\n",
    b"\r\n.\n",
    b"\n.\r\n",
    b"\r.\r",
    b"\r\n.\r",
    b"\r.\r\n",
    b"\r.\n",
    b"\n.\r",
    b"\n\r.\r\n",
    b"\r\r\n.\n",
    b"\r\n.\r\r\n",
    b"\r\n.\x00\r\n",
    b"\r\n.\x0b\r\n",
    b"\r\n. \r\n",
    b"\r\n\x00.\r\n",
    b"\xe2\x80\xa8.\r\n",
]


@pytest.mark.anyio
@pytest.mark.parametrize("ending", ENDINGS)
async def test_a_false_end_of_data_smuggles_in_no_second_mail(ending: bytes) -> None:
    hidden = b"MAIL FROM:<boss@example.org>\r\nRCPT TO:<boop@example.org>\r\nDATA\r\n" + MAIL
    async with run_server() as server:
        wire = await server.connect_and_greet()
        await wire.begin("boop@example.org")
        await wire.say("DATA")
        wire.write(b"Subject: trick\r\n\r\nhello" + ending + hidden + b"\r\n.\r\n")
        assert (await wire.read()).startswith("250")
        assert (await wire.say("NOOP")).startswith("250")
        (message,) = server.router.messages
        assert message.subject == "trick"
        assert message.sender.value == "ann@friends.example"
        assert "MAIL FROM:<boss@example.org>" in message.text


@pytest.mark.anyio
@pytest.mark.parametrize("line_end", [b"\r\n", b"\n", b"\r"])
async def test_every_line_end_is_read_as_one(line_end: bytes) -> None:
    async with run_server() as server:
        wire = await server.connect_and_greet()
        content = line_end.join([b"Subject: lines", b"", b"one", b"two", b""])
        await wire.begin("boop@example.org")
        await wire.say("DATA")
        wire.write(content + b"\r\n.\r\n")
        assert (await wire.read()).startswith("250")
        assert server.router.texts == ["one\ntwo"]


def feed(
    chunks: list[bytes], max_bytes: int = 10**6, room: int = 10**6
) -> tuple[MailCollector, bytes]:
    collector = MailCollector(max_bytes, ByteBudget(room))
    rest: bytes | None = None
    for chunk in chunks:
        if rest is not None:
            rest += chunk
        elif chunk:
            rest = collector.feed(chunk)
    assert rest is not None
    return collector, rest


def split(data: bytes, cuts: list[int]) -> list[bytes]:
    places = [0, *sorted(cut % (len(data) + 1) for cut in cuts), len(data)]
    return [data[a:b] for a, b in pairwise(places)]


@given(
    st.lists(st.sampled_from([b"", b".", b"..", b"a", b".b", b"\n.", b"\r", b"c\r\r"])),
    st.lists(st.integers(0, 200), max_size=6),
    st.sampled_from([b"", b"NOOP\r\n", b".\r\n", b"\r\n.\r\n"]),
)
def test_any_content_comes_back_however_it_is_cut(
    lines: list[bytes], cuts: list[int], behind: bytes
) -> None:
    content = b"".join(line + b"\r\n" for line in lines)
    on_the_wire = b"".join((b"." + li if li.startswith(b".") else li) + b"\r\n" for li in lines)
    collector, rest = feed(split(on_the_wire + b".\r\n" + behind, cuts))
    assert rest == behind
    assert collector.content() == content


@given(st.lists(st.integers(0, 3000), max_size=6), st.integers(1, 2000))
def test_a_mail_over_the_limit_is_dropped_but_its_end_is_found(cuts: list[int], limit: int) -> None:
    data = b"x" * 2500 + b"\r\n.\r\nQUIT\r\n"
    collector, rest = feed(split(data, cuts), max_bytes=limit)
    assert rest == b"QUIT\r\n"
    assert collector.too_big
    assert not collector.no_room


@given(st.lists(st.integers(0, 3000), max_size=6))
def test_the_shared_budget_holds_and_gets_its_bytes_back(cuts: list[int]) -> None:
    budget = ByteBudget(1000)
    collector = MailCollector(10**6, budget)
    rest = None
    for chunk in split(b"x" * 2500 + b"\r\n.\r\n", cuts):
        if chunk and rest is None:
            rest = collector.feed(chunk)
        assert 0 <= budget.used <= 1000
    assert collector.no_room
    assert budget.used == 0
    small = MailCollector(10**6, budget)
    small.feed(b"x" * 900)
    assert budget.used == 900
    small.close()
    small.close()
    assert budget.used == 0


@pytest.mark.anyio
async def test_a_mail_over_the_size_limit_is_refused_and_the_session_goes_on() -> None:
    async with run_server(max_bytes=5000) as server:
        wire = await server.connect_and_greet()
        assert (await wire.send(MAIL + b"x" * 6000)).startswith("552 5.3.4")
        assert (await wire.send()).startswith("250")
        assert server.receiver.status()["bytes_in_flight"] == 0


@pytest.mark.anyio
async def test_a_mail_beyond_the_bytes_in_flight_is_deferred() -> None:
    async with run_server(max_bytes=6000, max_bytes_in_flight=6000) as server:
        first, second = await server.connect_and_greet(), await server.connect_and_greet()
        await first.begin("boop@example.org")
        await first.say("DATA")
        first.write(MAIL + b"x" * 4000)
        await eventually(lambda: server.in_flight() == len(MAIL) + 4000)
        assert (await second.send(MAIL + b"y" * 4000)).startswith("452 4.3.1")
        assert (await first.say(b"\r\n.")).startswith("250")
        assert (await second.send(MAIL + b"y" * 4000)).startswith("250")


@pytest.mark.anyio
async def test_a_big_mail_is_taken_with_its_picture_left_out() -> None:
    picture = b"A" * 76 + b"\r\n"
    content = (
        b"Subject: view\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
        b"--b\r\n\r\nlook\r\n--b\r\nContent-Type: image/jpeg\r\n"
        b"Content-Transfer-Encoding: base64\r\n\r\n" + picture * 100_000 + b"--b--\r\n"
    )
    async with run_server() as server:
        wire = await server.connect_and_greet()
        assert (await wire.send(content)).startswith("250")
        assert server.router.texts == ["look\n\n[1 picture left out]"]
