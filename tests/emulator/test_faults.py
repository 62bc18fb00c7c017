"""What goes wrong on purpose, as the real SDK sees it."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Mapping
from typing import Any

import anthropic
import httpx2
import pytest

from ctxengine.emulator import FAULTS, Emulator
from ctxengine.errors import MalformedInput
from tests.emulator.sdk import HELLO, WAYS, Clock, async_client, client, create, emulator, stream, stream_async

Ask = Callable[[Emulator, Mapping[str, Any]], Any]


@pytest.mark.parametrize("ask", WAYS.values(), ids=WAYS)
@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ("429", anthropic.RateLimitError),
        ("500", anthropic.InternalServerError),
        ("529", anthropic.OverloadedError),
    ],
)
def test_statuses(ask: Ask, fault: str, error: type[anthropic.APIStatusError]) -> None:
    """Each status comes once, in the API's shape, with retry-after where the API has it; then all is well."""
    emulated = emulator(faults=fault)
    with pytest.raises(error) as caught:
        ask(emulated, HELLO)
    assert (caught.value.status_code, caught.value.body["request_id"]) == (int(fault), caught.value.request_id)
    assert caught.value.response.headers.get("retry-after") == (None if fault == "500" else "1")
    assert ask(emulated, HELLO).content[0].text == "Hello there"


def test_the_sdk_retries(monkeypatch: pytest.MonkeyPatch) -> None:
    """With retries the SDK waits as it is told, and the script goes on where it was."""
    waits: list[float] = []
    monkeypatch.setattr(time, "sleep", waits.append)
    emulated = emulator(["one", "two"], faults="429:2,529")
    assert client(emulated, max_retries=3).messages.create(**HELLO).content[0].text == "one"
    assert waits == [1.0, 1.0, 1.0]
    assert [request.path for request in emulated.requests] == ["/v1/messages"] * 4


def test_the_async_sdk_retries(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same without blocking."""
    waits: list[float] = []

    async def sleep(seconds: float) -> None:
        waits.append(seconds)

    monkeypatch.setattr("anyio.sleep", sleep)
    asked = async_client(emulator(["one"], faults="500,429"), max_retries=2).messages.create(**HELLO)
    assert asyncio.run(asked).content[0].text == "one"
    assert len(waits) == 2 and waits[1] == 1.0


@pytest.mark.parametrize("ask", [stream, stream_async])
@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ("drop", httpx2.RemoteProtocolError),
        ("stall", httpx2.ReadTimeout),
        ("bad-sse", json.JSONDecodeError),
    ],
)
def test_broken_streams(ask: Ask, fault: str, error: type[Exception]) -> None:
    """A stream breaks in the middle; the turn was not played, and comes with the next request."""
    emulated = emulator(["one", "two"], faults=fault)
    with pytest.raises(error):
        ask(emulated, HELLO)
    assert ask(emulated, HELLO).content[0].text == "one"


def test_part_of_a_broken_stream_arrives() -> None:
    """What was sent before the break can be read."""
    seen = []
    with (
        pytest.raises(httpx2.RemoteProtocolError),
        client(emulator(["word " * 200], faults="drop")).messages.stream(**HELLO) as events,
    ):
        seen += events.text_stream
    assert seen


@pytest.mark.parametrize(
    ("fault", "error"), [("drop", anthropic.APIConnectionError), ("stall", anthropic.APITimeoutError)]
)
def test_broken_messages(fault: str, error: type[Exception]) -> None:
    """A message that is not streamed breaks too; a stall lasts as long as the client's patience."""
    clock = Clock()
    before = clock.now
    with pytest.raises(error):
        client(emulator(faults=fault, clock=clock), timeout=30).messages.create(**HELLO)
    assert clock.now - before == (30 if fault == "stall" else 0)


def test_faults_wait_for_what_they_can_strike() -> None:
    """A malformed event waits for a stream, and a failed compaction for a compaction."""
    emulated = emulator(faults="bad-sse,null-compaction")
    assert create(emulated, HELLO).stop_reason == "end_turn"
    with pytest.raises(json.JSONDecodeError):
        stream(emulated, HELLO)


def test_refused_requests_use_up_no_fault() -> None:
    """What the API would not take fails for its own reason."""
    emulated = emulator(faults="529")
    with pytest.raises(anthropic.NotFoundError):
        create(emulated, {**HELLO, "model": "claude-nonesuch"})
    with pytest.raises(anthropic.OverloadedError):
        create(emulated, HELLO)


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ("flood", "bad-sse"),
        ("429;500", "did you mean .*429"),
        ("429:0", "429:2"),
        ("429:x", "429:2"),
        ("drop:", "drop:2"),
    ],
)
def test_unreadable_faults(spec: str, said: str) -> None:
    """A fault that does not exist is refused with those that do, a wrong number with a right one."""
    with pytest.raises(MalformedInput, match=said):
        emulator(faults=spec)


def test_every_fault_is_read() -> None:
    """All faults can be asked for, with spaces and counts."""
    emulator(faults=" , ".join(f"{name}:2" for name in FAULTS))
