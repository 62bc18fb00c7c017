"""The SDK's tool runner against the emulator, to the end of its loop."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from anthropic import beta_async_tool, beta_tool

from ctxengine.emulator import Emulator
from tests.emulator.sdk import CM, HELLO, async_client, client, emulator

CALL = {"type": "tool_use", "name": "look", "input": {"place": "the drawer"}}
LONG = "a long list of things in the drawer, one after the other " * 40
CLEARING = {
    "type": "clear_tool_uses_20250919",
    "trigger": {"type": "tool_uses", "value": 2},
    "keep": {"type": "tool_uses", "value": 1},
}
EDITS = {"context_management": {"edits": [CLEARING]}, "betas": [CM]}


@beta_tool
def look(place: str) -> str:
    """Look somewhere.

    Args:
        place: Where to look.
    """
    return LONG


@beta_async_tool(name="look")
async def look_async(place: str) -> str:
    """Look somewhere.

    Args:
        place: Where to look.
    """
    return LONG


def _run(emulated: Emulator, **options: Any) -> list[Any]:
    return list(client(emulated).beta.messages.tool_runner(**HELLO, tools=[look], **options))


async def _run_async(emulated: Emulator, **options: Any) -> list[Any]:
    async with async_client(emulated) as open_client:
        return [each async for each in open_client.beta.messages.tool_runner(**HELLO, tools=[look_async], **options)]


@pytest.mark.parametrize(
    "run", [_run, lambda *args, **options: asyncio.run(_run_async(*args, **options))], ids=["sync", "async"]
)
def test_a_loop_with_clearing(run: Any) -> None:
    """The runner answers each tool use until there is none; the emulator clears the older results."""
    messages = run(emulator([[CALL], [CALL], [CALL], "Nothing there."]), thread=False, **EDITS)
    assert [message.stop_reason for message in messages] == ["tool_use"] * 3 + ["end_turn"]
    cleared = [[edit.cleared_tool_uses for edit in message.context_management.applied_edits] for message in messages]
    assert cleared == [[], [], [], [2]]
    sizes = [message.usage.input_tokens for message in messages]
    assert sizes[0] < sizes[1] < sizes[2] and sizes[3] < sizes[2]


def test_a_streamed_loop() -> None:
    """The same with streams."""
    runner = client(emulator([[CALL], "Done."])).beta.messages.tool_runner(
        **HELLO, tools=[look], stream=True, thread=False
    )
    assert [events.get_final_message().stop_reason for events in runner] == ["tool_use", "end_turn"]


def test_threads_are_refused_and_the_runner_goes_on_without() -> None:
    """By default the runner asks for a thread; the emulator has none, and the runner does without."""
    emulated = emulator([[CALL], "Done."])
    assert [message.stop_reason for message in _run(emulated)] == ["tool_use", "end_turn"]
    assert all("thread" not in request.body for request in emulated.requests)
