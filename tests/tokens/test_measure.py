"""Content is measured by class, whatever its shape."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ctxengine.errors import RequestError
from ctxengine.tokens import Size, measure, measure_messages

CASES = json.loads((Path(__file__).parent / "cases" / "measure.json").read_text())
KINDS = st.sampled_from(["text", "thinking", "tool_use", "tool_result", "image", "document", "compaction", "new"])
KEYS = st.sampled_from(
    ["type", "role", "content", "text", "thinking", "signature", "name", "input", "source", "data", "x"]
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9) | KINDS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=5),
    max_leaves=25,
)
MESSAGES = st.lists(JSON | st.fixed_dictionaries({"role": st.just("user"), "content": JSON}), max_size=5)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_size(case: dict[str, Any]) -> None:
    """Each kind of content counts in its class, alone and within a message."""
    size = Size(**case["size"])
    assert measure(case["value"]) == size
    assert measure_messages([{"role": "user", "content": [case["value"]]}]) == size + Size(messages=1)


@settings(deadline=None)
@given(st.lists(JSON, max_size=5))
def test_adds_up(values: list[Any]) -> None:
    """A list is as large as its parts together, and no JSON of any shape raises."""
    assert measure(values) == sum(map(measure, values), Size())


@settings(deadline=None)
@given(MESSAGES, st.integers(0, 6))
def test_messages(messages: list[Any], start: int) -> None:
    """The fast way through messages finds what the slow way finds, from any message on."""
    assert measure_messages(messages, start) == measure(messages[start:])


def _nested(levels: int) -> Any:
    value: Any = "x"
    for _ in range(levels):
        value = [value]
    return value


def test_deep() -> None:
    """Nesting as deep as JSON can be written is measured without recursion."""
    inner = {"type": "tool_use", "name": "f", "input": {"a": _nested(400)}}
    assert measure(inner).code == 1 + 7 + 400 * 6 + 1
    assert measure(_nested(400)) == Size(text=1)


@pytest.mark.parametrize("place", ["input", "content"])
def test_endless(place: str) -> None:
    """Content that holds itself, or is nested beyond what JSON can be written in, is refused in words."""
    circle: list[Any] = []
    circle += [circle, circle]
    for value in (circle, _nested(100_000)):
        block = {"type": "tool_use", "name": "f", "input": {"a": value}} if place == "input" else value
        with pytest.raises(RequestError, match="holds itself"):
            measure(block)


def test_keys_that_are_no_strings() -> None:
    """A key that JSON would turn into a string is charged like a number."""
    assert (
        measure_messages([{"role": "user", "content": [{"type": "tool_use", "name": "f", "input": {1: "x"}}]}]).code
        == 12
    )


def test_sdk_objects() -> None:
    """An SDK object is as large as the dict it was read from, whole messages included."""
    from anthropic.types.beta import BetaMessage

    blocks = [
        {"type": "thinking", "thinking": "hmm", "signature": "abc"},
        {"type": "text", "text": "hello"},
        {"type": "tool_use", "id": "t", "name": "f", "input": {"a": [1, {"b": "é"}]}},
    ]
    usage = {"input_tokens": 1, "output_tokens": 1}
    made = BetaMessage.model_validate(
        {"id": "m", "type": "message", "role": "assistant", "model": "m", "content": blocks, "usage": usage}
    )
    message = {"role": "assistant", "content": blocks}
    assert measure(made) == measure_messages([{**message, "content": made.content}]) == measure(message)
