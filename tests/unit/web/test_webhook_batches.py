"""Webhooks that come at once reach the router in a few calls, not in one call each."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from messaging.config.env import read
from messaging.config.settings import Settings
from messaging.gateway import Gateway
from messaging.mail.smtp.settings import SmtpSettings
from messaging.pipeline import HTTP_IN, declare
from messaging.streaming.api import Graph, Stage
from messaging.streaming.runtime.batch_redelivery import Call
from messaging.streaming.runtime.output import output_of
from tests.support.inline_gateway import FRIEND, NUMBER, text

pytestmark = pytest.mark.anyio


class Routers:
    """A runtime whose routers take everything, and note the size of each call."""

    def __init__(self) -> None:
        self.calls: list[int] = []

    def method(self, stage: Stage, index: int, name: str) -> Callable[..., Awaitable[Any]]:
        async def take(records: list[Any]) -> list[None]:
            self.calls.append(len(records))
            await asyncio.sleep(0)
            return [None] * len(records)

        return take

    def function(self, stage: Stage, graph: Graph) -> Call:
        raise NotImplementedError


async def test_webhooks_of_one_moment_go_to_the_router_in_one_call(tmp_path: Path) -> None:
    settings = read(Settings, state_dir=tmp_path, routers=1)
    graph = declare(Gateway(settings=settings, smtp=read(SmtpSettings)))
    routers = Routers()
    output = output_of(graph.view_for(HTTP_IN), HTTP_IN, 0, routers)
    texts = [text(FRIEND, NUMBER, f"text {number}") for number in range(200)]
    await asyncio.gather(*map(output.emit, texts))
    assert sum(routers.calls) == len(texts)
    assert len(routers.calls) <= 2  # the first of them may go alone
