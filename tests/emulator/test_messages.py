"""Messages through the real SDK: every way of asking gives the same answer, and counts are what is billed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from ctxengine.emulator import Emulator
from tests.emulator.sdk import CM, COMPACT, HELLO, MODEL, NOON, WAYS, Clock, client, create, emulator, stream

Ask = Callable[[Emulator, Mapping[str, Any]], Any]
TURN = [
    {"type": "thinking", "thinking": "Which city is meant? Paris, I should think."},
    {"type": "text", "text": "Let me look that up, with an accent: é. " * 4},
    {"type": "tool_use", "id": "toolu_1", "name": "weather", "input": {"city": "Paris", "days": [1, 2, 3]}},
]
TOOL = {"name": "weather", "description": "The weather.", "input_schema": {"type": "object", "properties": {}}}


@pytest.mark.parametrize("ask", WAYS.values(), ids=WAYS)
def test_blocks_arrive_as_scripted(ask: Ask) -> None:
    """Thinking, text and tool use come through whole, with the stop reason that they call for."""
    message = ask(emulator([TURN]), {**HELLO, "tools": [TOOL]})
    given = [block.to_dict(exclude_none=True) for block in message.content]
    assert given[0].pop("signature")
    assert given == TURN
    assert (message.stop_reason, message.model, message.role) == ("tool_use", MODEL, "assistant")


@pytest.mark.parametrize("ask", WAYS.values(), ids=WAYS)
def test_a_container_is_named_in_the_answer(ask: Ask) -> None:
    """The container that a request names is that of its answer, and lives on; a stream names it at its end."""
    for named in ("container_1", {"id": "container_1"}):
        answer = ask(emulator(), {**HELLO, "container": named})
        assert answer.container.id == "container_1"
        assert answer.container.expires_at.timestamp() == NOON + 300
    with client(emulator()).beta.messages.create(**HELLO, container="container_1", stream=True) as events:
        first = next(iter(events))
    assert first.message.container is None


def test_stream_and_create_agree() -> None:
    """A streamed message ends as the same message in one piece, usage included."""
    edits = {"edits": [{"type": "clear_tool_uses_20250919"}]}
    request = {**HELLO, "tools": [TOOL], "context_management": edits, "betas": [CM]}
    whole, streamed = create(emulator([TURN[1:]]), request), stream(emulator([TURN[1:]]), request)
    assert streamed.to_dict() == whole.to_dict()


def test_ga_surface() -> None:
    """client.messages works like client.beta.messages where no beta is needed."""
    with client(emulator()).messages.stream(**HELLO) as events:
        text = "".join(events.text_stream)
    assert text == client(emulator()).messages.create(**HELLO).content[0].text == "Hello there"


def test_events_of_a_stream() -> None:
    """Events come in the API's order (the SDK keeps the ping to itself); the edits stand on the last message_delta."""
    request = {**HELLO, "context_management": {"edits": [{"type": "clear_tool_uses_20250919"}]}, "betas": [CM]}
    events = list(client(emulator()).beta.messages.create(**request, stream=True))
    assert [event.type for event in events] == [
        "message_start", "content_block_start", "content_block_delta", "content_block_stop", "message_delta",
        "message_stop",
    ]  # fmt: skip
    assert events[0].message.context_management is None
    assert events[-2].context_management.applied_edits == []


@pytest.mark.parametrize("system", ["Be brief.", [{"type": "text", "text": "Be brief."}]], ids=["string", "blocks"])
def test_counted_is_billed(system: Any) -> None:
    """count_tokens gives exactly what a message is billed for."""
    request = {**HELLO, "system": system, "tools": [TOOL]}
    emulated = emulator()
    counted = client(emulated).beta.messages.count_tokens(
        **{name: value for name, value in request.items() if name != "max_tokens"}
    )
    assert counted.input_tokens == create(emulated, request).usage.input_tokens


def test_the_prompt_cache() -> None:
    """A marked prefix is written once, read while it lives, and gone for another key and after its time."""
    clock = Clock()
    emulated = emulator(clock=clock)
    mark = {"type": "ephemeral"}
    system = [{"type": "text", "text": "Rule: " + "be kind and careful. " * 300, "cache_control": mark}]
    request = {**HELLO, "system": system}
    first, second = create(emulated, request).usage, create(emulated, request).usage
    assert first.cache_read_input_tokens == 0 and first.cache_creation_input_tokens > 1000
    assert second.cache_read_input_tokens == first.cache_creation_input_tokens
    assert second.input_tokens == first.input_tokens
    other = client(emulated, api_key="another").beta.messages.create(**request).usage
    assert other.cache_read_input_tokens == 0
    clock.now += 301
    assert create(emulated, request).usage.cache_read_input_tokens == 0


def test_what_a_refused_request_wrote_is_lost() -> None:
    """A refusal reports a cache write that nobody can read, as was seen."""
    system = [{"type": "text", "text": "Rule: " + "be kind. " * 600, "cache_control": {"type": "ephemeral"}}]
    said = {"content": [{"type": "text", "text": "No."}], "stop_reason": "refusal"}
    emulated = emulator([said, "Yes."])
    usages = [create(emulated, {**HELLO, "system": system}).usage for _ in range(2)]
    assert usages[0].cache_creation_input_tokens == usages[1].cache_creation_input_tokens > 0
    assert usages[1].cache_read_input_tokens == 0


def test_max_tokens_cuts_the_reply() -> None:
    """A reply that is longer than max_tokens ends there."""
    message = create(emulator(["word " * 500]), {**HELLO, "max_tokens": 20})
    assert (message.stop_reason, message.usage.output_tokens) == ("max_tokens", 20)
    assert 0 < len(message.content[0].text) < 500


def test_prewarming_writes_nothing() -> None:
    """max_tokens 0 gives an empty message, and the script stays where it is."""
    emulated = emulator(["1", "two"])
    message = create(emulated, {**HELLO, "max_tokens": 0})
    assert (message.content, message.stop_reason, message.usage.output_tokens) == ([], "max_tokens", 0)
    message = create(emulated, HELLO)
    assert (message.content[0].text, message.usage.output_tokens) == ("1", 1)


def test_stop_sequences() -> None:
    """A reply ends before a stop sequence, which is named."""
    message = create(emulator(["one two three"]), {**HELLO, "stop_sequences": ["three", " two"]})
    assert (message.stop_reason, message.stop_sequence, message.content[0].text) == ("stop_sequence", " two", "one")


def test_what_came_in_is_kept_without_the_key() -> None:
    """Tests can look at what was received; no key is among it."""
    emulated = emulator()
    client(emulated, api_key="sk-secret").beta.messages.create(**HELLO, betas=[CM])
    received = emulated.requests[-1]
    assert (received.path, received.betas, dict(received.body)) == ("/v1/messages", (CM,), HELLO)
    assert "sk-secret" not in repr(emulated.requests)


def test_latency_is_waited_for() -> None:
    """The model takes as long as it was told to."""
    clock = Clock()
    before = clock.now
    create(emulator(clock=clock, latency_ms=1500), HELLO)
    assert clock.now - before == 1.5


def test_a_trigger_is_what_count_tokens_says() -> None:
    """A compaction fires at the number of tokens that is counted and billed, not above it."""
    long = {**HELLO, "messages": [{"role": "user", "content": "many words " * 40_000}], "betas": [COMPACT]}
    asked = {name: value for name, value in long.items() if name != "max_tokens"}
    counted = client(emulator()).beta.messages.count_tokens(**asked).input_tokens
    for trigger, kinds in ((counted, ["compaction", "text"]), (counted + 1, ["text"])):
        edit = {"type": "compact_20260112", "trigger": {"type": "input_tokens", "value": trigger}}
        answer = create(emulator(), {**long, "context_management": {"edits": [edit]}})
        assert [block.type for block in answer.content] == kinds


def test_as_many_requests_are_kept_as_asked_for() -> None:
    """The newest requests are there for tests to look at, or none."""
    for kept in (0, 1):
        emulated = emulator(kept=kept)
        create(emulated, HELLO)
        create(emulated, {**HELLO, "max_tokens": 99})
        assert [request.body["max_tokens"] for request in emulated.requests] == [99][:kept]
