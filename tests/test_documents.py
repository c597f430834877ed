"""Every example and every table in the documents is true."""

import asyncio
import base64
import importlib.util
import re
import shlex
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from fastapi import FastAPI, Header, Response
from pydantic import SecretStr
from typer.main import get_command
from typer.testing import CliRunner

from messaging.cli.app import app
from messaging.configuration import read
from messaging.errors import Rejected
from messaging.gateway import Gateway, sections
from messaging.mail.server import SmtpServer
from messaging.message import Address, Delivery, Inbound, Message, Network, Result, Undeliverable
from messaging.pipeline import declare
from messaging.satellite.payload import Text, encode
from messaging.satellite.receive import SatellitePoller
from messaging.satellite.send import SatelliteSender
from messaging.settings import Settings
from messaging.simulator.serving import Serving

ROOT = Path(__file__).parent.parent
ROW = re.compile(r"^\| (`SATBRIDGE_[^|]*) \| [^|]+ \| ([^|]*) \|$", re.MULTILINE)


def rows(document: str) -> dict[str, str]:
    """The default that a document gives for each variable."""
    found = {}
    for names, default in ROW.findall((ROOT / document).read_text().replace("\\|", "/")):
        for name in re.findall(r"`(SATBRIDGE_\w+)`", names):
            assert name not in found, f"{name} stands twice in {document}"
            found[name] = default.strip()
    return found


def actual() -> dict[str, str | None]:
    """The default of each variable, as the document writes it; None where it is said in words."""
    return {
        variable: _written(section.model_fields[field])
        for section in sections()
        for field, variable in section.variables().items()
    }


def _written(field: Any) -> str | None:
    if field.is_required():
        return "required"
    default = field.get_default()
    if default is None or isinstance(default, SecretStr):
        return None
    return f"`{default}`"


def test_the_settings_document_has_every_setting_and_no_other() -> None:
    assert rows("docs/settings.md").keys() == actual().keys()


def test_the_settings_document_gives_the_true_defaults() -> None:
    told = rows("docs/settings.md")
    wrong = {n: (told[n], d) for n, d in actual().items() if d is not None and told[n] != d}
    assert wrong == {}


def test_the_readme_names_settings_that_exist_with_their_defaults() -> None:
    defaults = actual()
    for name, told in rows("README.md").items():
        assert name in defaults
        assert told == defaults[name] or not told.startswith("`") or defaults[name] is None


def test_every_file_that_a_document_links_to_exists() -> None:
    for document in [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")]:
        for target in re.findall(r"\]\((?!https?:)([^)#]+)", document.read_text()):
            assert (document.parent / target).exists(), f"{document.name}: {target}"


COMMAND = re.compile(r"^satbridge +(.*?)(?: +#.*)?$", re.MULTILINE)


def commands() -> list[list[str]]:
    """Every command line of the README and of the networks' pages, in words."""
    documents = [ROOT / "README.md", *ROOT.glob("docs/networks/*.md")]
    lines = [line for document in documents for line in COMMAND.findall(document.read_text())]
    return [shlex.split(line) for line in lines]


@pytest.mark.parametrize("words", commands(), ids=" ".join)
def test_every_command_in_the_documents_is_understood(words: list[str]) -> None:
    # With --help at the end, arguments and options before it are parsed and nothing is done.
    outcome = CliRunner().invoke(app, [*words, "--help"])
    assert outcome.exit_code == 0, outcome.output


def test_every_command_that_exists_is_in_the_readme() -> None:
    text = (ROOT / "README.md").read_text()
    root: Any = get_command(app)
    for name in root.commands:
        assert re.search(rf"`(satbridge |make )?{name}|, `{name}", text), name


# -- docs/adding-a-network.md


@pytest.fixture
def pigeon(tmp_path: Path) -> Iterator[ModuleType]:
    """The example of the document, as a module."""
    text = (ROOT / "docs/adding-a-network.md").read_text()
    (code,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    path = tmp_path / "pigeon.py"
    path.write_text(code)
    spec = importlib.util.spec_from_file_location("pigeon", path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules["pigeon"] = module
    spec.loader.exec_module(module)
    yield module
    del sys.modules["pigeon"]


class Loft:
    """The Pigeon network: a real server with a token."""

    def __init__(self) -> None:
        self.inbox: dict[str, dict[str, str]] = {}
        self.sent: list[tuple[str, bytes]] = []
        self.app = FastAPI()
        self.app.get("/inbox")(self.list)
        self.app.delete("/inbox/{packet}")(self.forget)
        self.app.post("/messages")(self.take)

    async def list(self, response: Response, x_token: str = Header("")) -> Any:
        if x_token != "coo":
            response.status_code = 401
            return {}
        return list(self.inbox.values())

    async def forget(self, packet: str) -> dict[str, str]:
        del self.inbox[packet]
        return {}

    async def take(self, body: dict[str, str], response: Response) -> dict[str, str]:
        if body["device"] != "42":
            response.status_code = 404
            return {}
        self.sent.append((body["device"], base64.b64decode(body["data"])))
        return {"id": str(len(self.sent))}

    def put(self, packet: str, data: bytes) -> None:
        encoded = base64.b64encode(data).decode() if data else "%%%"
        self.inbox[packet] = {"id": packet, "device": "42", "data": encoded}


@pytest.fixture
def loft() -> Iterator[tuple[Loft, str]]:
    loft = Loft()
    with Serving(loft.app) as serving:
        yield loft, serving.url


def account_of(pigeon: ModuleType, url: str) -> Any:
    return read(pigeon.PigeonAccount, url=url, token=SecretStr("coo"), poll_seconds=0.05)


@pytest.mark.anyio
async def test_the_example_network_receives_and_acknowledges(
    pigeon: ModuleType, loft: tuple[Loft, str]
) -> None:
    network, url = loft
    text = Text("We are fine", Address(Network.EMAIL, "alice@example.net"))
    network.put("p1", encode([text], from_device=True))
    network.put("p2", b"")
    taken: list[Inbound] = []

    async def emit(record: Inbound) -> None:
        taken.append(record)

    poller = SatellitePoller(account_of(pigeon, url), "pigeon")
    task = asyncio.create_task(poller.run(emit))
    async with asyncio.timeout(10):
        while network.inbox:  # noqa: ASYNC110 - the server empties it
            await asyncio.sleep(0.01)
    await poller.drain()
    await task
    (message,) = [record for record in taken if isinstance(record, Message)]
    assert (message.sender.value, message.text, message.via) == ("42", "We are fine", "pigeon")
    assert [record.raw for record in taken if isinstance(record, Undeliverable)] == [b"%%%"]


@pytest.mark.anyio
async def test_the_example_network_sends_and_refuses(
    pigeon: ModuleType, loft: tuple[Loft, str]
) -> None:
    network, url = loft
    sender = SatelliteSender(account_of(pigeon, url), 4)
    message = Message(
        id="0" * 32,
        sender=Address(Network.EMAIL, "alice@example.net"),
        recipient=Address(Network.SATELLITE, "42"),
        text="word " * 60,
        via="pigeon",
    )
    lease = datetime.now(UTC) + timedelta(seconds=60)
    known = Delivery(id=1, message=message, attempt=1, lease_until=lease)
    elsewhere = replace(message, recipient=Address(Network.SATELLITE, "43"))
    unknown = Delivery(id=2, message=elsewhere, attempt=1, lease_until=lease)
    results = await sender.process([known, unknown])
    await sender.close()
    outcomes = [result[0] for result in results if isinstance(result, list)]
    assert [outcome.result for outcome in outcomes] == [Result.SENT, Result.REJECTED]
    assert len(network.sent) == outcomes[0].parts_sent > 1
    assert all(len(packet) <= 120 for _, packet in network.sent)
    assert outcomes[1].reason == "the Pigeon network does not know this device"


@pytest.mark.anyio
async def test_the_example_network_is_probed_and_declared(
    pigeon: ModuleType, loft: tuple[Loft, str], tmp_path: Path
) -> None:
    account = account_of(pigeon, loft[1])
    network = account.connect()
    await network.check()
    await network.aclose()
    with pytest.raises(Rejected):
        account.packets(
            Message(
                id="0" * 32,
                sender=Address(Network.EMAIL, "a" * 200 + "@example.net"),
                recipient=Address(Network.SATELLITE, "42"),
                text="hello",
                via="pigeon",
            ),
            "",
            4,
        )
    gateway = Gateway(
        settings=read(Settings, state_dir=tmp_path),
        smtp=read(SmtpServer),
        satellites={"pigeon": account},
    )
    assert "pigeon-in  (source, x1)" in str(declare(gateway))
