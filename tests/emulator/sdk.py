"""The SDK's clients on an emulator, sync and async behind one face."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import anthropic

from ctxengine.emulator import Emulator

MODEL = "claude-opus-5-5"
HELLO = {"model": MODEL, "max_tokens": 1024, "messages": [{"role": "user", "content": "Hello there"}]}
CM, COMPACT, ON_DEMAND = "context-management-2025-06-27", "compact-2026-01-12", "compact-2026-09-04"
NOON = 1_795_176_000.0
"""A day in November 2026, in seconds since 1970."""


class Clock:
    """A clock that stands until it is moved; sleeping moves it."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def emulator(script: Any = None, *, clock: Clock | None = None, **options: Any) -> Emulator:
    """An emulator on a day that stands still, and that never waits."""
    clock = clock or Clock()
    return Emulator(script, clock=clock, sleep=clock.sleep, **options)


def client(emulated: Emulator, **options: Any) -> anthropic.Anthropic:
    return anthropic.Anthropic(**{**emulated.client_options(), "max_retries": 0, **options})


def async_client(emulated: Emulator, **options: Any) -> anthropic.AsyncAnthropic:
    return anthropic.AsyncAnthropic(**{**emulated.async_client_options(), "max_retries": 0, **options})


def create(emulated: Emulator, kwargs: Mapping[str, Any]) -> Any:
    return client(emulated).beta.messages.create(**kwargs)


def stream(emulated: Emulator, kwargs: Mapping[str, Any]) -> Any:
    with client(emulated).beta.messages.stream(**kwargs) as events:
        return events.get_final_message()


def create_async(emulated: Emulator, kwargs: Mapping[str, Any]) -> Any:
    return asyncio.run(_create_async(emulated, kwargs))


def stream_async(emulated: Emulator, kwargs: Mapping[str, Any]) -> Any:
    return asyncio.run(_stream_async(emulated, kwargs))


async def _create_async(emulated: Emulator, kwargs: Mapping[str, Any]) -> Any:
    async with async_client(emulated) as open_client:
        return await open_client.beta.messages.create(**kwargs)


async def _stream_async(emulated: Emulator, kwargs: Mapping[str, Any]) -> Any:
    async with async_client(emulated) as open_client, open_client.beta.messages.stream(**kwargs) as events:
        return await events.get_final_message()


WAYS: Mapping[str, Callable[[Emulator, Mapping[str, Any]], Any]] = {
    "create": create,
    "stream": stream,
    "async create": create_async,
    "async stream": stream_async,
}
"""Every way of asking for a message; what comes back is the same."""


def facts(count: int) -> Iterator[str]:
    """Sentences that are all different, some nine tokens each."""
    return (f"Fact {number} is that item {number * 7} is in drawer {number * 13}." for number in range(count))


def compacting(*, pause: bool = False, trigger: int = 50_000, sentences: int = 6_000, **more: Any) -> dict[str, Any]:
    """A request that sets off a threshold compaction."""
    edit = {
        "type": "compact_20260112",
        "trigger": {"type": "input_tokens", "value": trigger},
        "pause_after_compaction": pause,
    }
    question = {"role": "user", "content": " ".join(facts(sentences))}
    management = {"context_management": {"edits": [edit]}, "betas": [COMPACT]}
    return {**HELLO, "messages": [question], **management, **more}
