"""InvokeModel's paths and body through AnthropicBedrock."""

from __future__ import annotations

import asyncio
from typing import Any

import anthropic
import httpx2
import pytest

from ctxengine.emulator import Emulator
from tests.emulator.sdk import COMPACT, ON_DEMAND, compacting, emulator

MODEL = "us.anthropic.claude-opus-5-5-v1:0"
OPTIONS = {"api_key": "fake", "aws_region": "us-east-1", "max_retries": 0}
HELLO = {"model": MODEL, "max_tokens": 1024, "messages": [{"role": "user", "content": "Hello there"}]}


def _client(emulated: Emulator) -> anthropic.AnthropicBedrock:
    return anthropic.AnthropicBedrock(**OPTIONS, http_client=httpx2.Client(transport=emulated.transport()))


def test_invoke() -> None:
    """Betas travel in the body, the model in the path; compaction works as elsewhere."""
    emulated = emulator(["Done."])
    message = _client(emulated).beta.messages.create(**{**compacting(), "model": MODEL})
    assert [block.type for block in message.content] == ["compaction", "text"]
    received = emulated.requests[-1]
    assert (received.path, received.betas) == (f"/model/{MODEL}/invoke", (COMPACT,))
    assert message.model == MODEL


def test_stream() -> None:
    """A stream comes in AWS frames, which the SDK reads with botocore."""
    with _client(emulator()).beta.messages.stream(**HELLO) as events:
        assert "".join(events.text_stream) == "Hello there"
        assert events.get_final_message().stop_reason == "end_turn"


def test_async() -> None:
    """The asynchronous client too."""
    transport = emulator().async_transport()

    async def ask() -> Any:
        http = httpx2.AsyncClient(transport=transport)
        async with anthropic.AsyncAnthropicBedrock(**OPTIONS, http_client=http) as client:
            return await client.messages.create(**HELLO)

    assert asyncio.run(ask()).content[0].text == "Hello there"


@pytest.mark.parametrize(
    ("betas", "path"),
    [({}, "anthropic_beta"), ("", "anthropic_beta"), (0, "anthropic_beta"), ([COMPACT, None], "anthropic_beta.1")],
)
def test_betas_are_a_list_of_names(betas: Any, path: str) -> None:
    """Anything else in the body's list of betas is a 400 with its path."""
    with pytest.raises(anthropic.BadRequestError, match=f"{path}: Input should be a valid"):
        _client(emulator()).messages.create(**HELLO, extra_body={"anthropic_beta": betas})


def test_an_unknown_beta_and_a_missing_version() -> None:
    """What Bedrock does not know it calls a beta flag, and the version belongs into the body."""
    with pytest.raises(anthropic.BadRequestError, match="invalid beta flag"):
        _client(emulator()).beta.messages.create(**HELLO, betas=["no-such-beta-2026-01-01"])
    for version, says in ((None, "Field required"), ([1], "a valid version"), ("2020-01-01", "a valid version")):
        with pytest.raises(anthropic.BadRequestError, match=f"anthropic_version: .*{says}"):
            _client(emulator()).messages.create(**HELLO, extra_body={"anthropic_version": version})


def test_no_compaction_on_demand() -> None:
    """What Bedrock does not have is a 400 there."""
    with pytest.raises(anthropic.BadRequestError, match="invalid beta flag"):
        _client(emulator()).beta.messages.create(**HELLO, compaction={"type": "summarize"}, betas=[ON_DEMAND])
