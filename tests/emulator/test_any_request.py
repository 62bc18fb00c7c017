"""Properties: whatever comes in, the emulator answers in the API's shape, and what it answers adds up."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from ctxengine.emulator import Call
from tests.emulator.sdk import CM, COMPACT, emulator
from tests.plan.requests import ANY_REQUEST, ANYTHING, WILD_REQUEST, conversations

HEADERS = {"x-api-key": "any", "anthropic-version": "2023-06-01", "anthropic-beta": f"{CM},{COMPACT}"}
PATHS = st.sampled_from(["/v1/messages", "/v1/messages/count_tokens", "/model/m/invoke", "/v1/models", "/v1/models/x"])
EDITS = [
    {"type": "clear_tool_uses_20250919", "trigger": {"type": "input_tokens", "value": 3_000}},
    {"type": "compact_20260112", "trigger": {"type": "input_tokens", "value": 50_000}},
]


OF_THE_SDK = ("extra_headers", "extra_body", "betas")
REFUSED = ("mcp_servers", "thread")
"""What would end most examples too soon."""


def _body(request: Any) -> bytes:
    return json.dumps(request).encode()


@given(st.sampled_from(["GET", "POST"]), PATHS, ANY_REQUEST | WILD_REQUEST | ANYTHING, st.booleans())
@settings(deadline=None, max_examples=300)
def test_every_call_is_answered(method: str, path: str, request: Any, betas: bool) -> None:
    """Any JSON on any path is answered: with a message, or with an error of the API's shape and an honest status."""
    if isinstance(request, dict):
        fields = {name: value for name, value in request.items() if name not in (*OF_THE_SDK, *REFUSED)}
        request = {"max_tokens": 64, **fields}
    headers = {name: value for name, value in HEADERS.items() if betas or name != "anthropic-beta"}
    answer = emulator().answer(Call(method, path, {}, headers, _body(request)))
    if answer.status == 200:
        assert answer.parts
    else:
        assert 400 <= answer.status < 500
        said = json.loads(b"".join(answer.parts))
        assert said["type"] == "error" and said["error"]["message"]


@given(st.binary(max_size=200))
def test_every_body_is_answered(body: bytes) -> None:
    """Bytes that are no request are a 400."""
    assert emulator().answer(Call("POST", "/v1/messages", {}, HEADERS, body)).status == 400


def test_a_defect_is_an_error_of_the_api() -> None:
    """What goes wrong inside is a 500 of the API's shape that says nothing of it; the emulator's owner can look."""

    def broken(value: Any) -> int:
        raise RuntimeError(f"cannot count {value!r}")

    request = {"model": "claude-opus-5-5", "max_tokens": 64, "messages": [{"role": "user", "content": "a secret"}]}
    emulated = emulator(count=broken)
    answer = emulated.answer(Call("POST", "/v1/messages", {}, HEADERS, _body(request)))
    said = json.loads(b"".join(answer.parts))
    assert (answer.status, said["request_id"]) == (500, answer.headers["request-id"])
    assert said["error"] == {"type": "api_error", "message": "Internal server error"}
    assert isinstance(emulated.failure, RuntimeError)


@given(conversations(plain=True), st.sampled_from([None, EDITS[:1], EDITS]), st.booleans())
@settings(deadline=None, max_examples=60)
def test_usage_adds_up(request: dict[str, Any], edits: Any, marked: bool) -> None:
    """What is billed is what count_tokens says; asked again, what was written is read, and nothing is written."""
    request = _sound({**request, "model": "claude-opus-4-6"})
    request |= {"context_management": {"edits": edits}} if edits else {}
    request |= {"cache_control": {"type": "ephemeral"}} if marked else {}
    emulated = emulator()
    counted = _answered(emulated, "/v1/messages/count_tokens", {**request, "max_tokens": None})["input_tokens"]
    first, second = (_answered(emulated, "/v1/messages", request)["usage"] for _ in range(2))
    assert [entry["type"] for entry in first["iterations"]] in (["message"], ["compaction", "message"])
    if len(first["iterations"]) == 1:
        assert [_read_and_written(usage) for usage in (first, second)] == [counted, counted]
        assert second["cache_read_input_tokens"] == first["cache_creation_input_tokens"]
        assert second["cache_creation_input_tokens"] == 0


def _read_and_written(usage: dict[str, Any]) -> int:
    names = ("input_tokens", "cache_read_input_tokens", "cache_creation_input_tokens")
    return sum(int(usage[name]) for name in names)


def _answered(emulated: Any, path: str, request: dict[str, Any]) -> dict[str, Any]:
    body = _body({name: value for name, value in request.items() if value is not None})
    answer = emulated.answer(Call("POST", path, {}, HEADERS, body))
    assert answer.status == 200, answer.parts
    return dict(json.loads(b"".join(answer.parts)))


def _sound(request: dict[str, Any]) -> dict[str, Any]:
    """Without what would be refused: thinking that nobody signed, and half a character."""
    sound = json.loads(json.dumps(request).replace("\\ud800", "?"))
    for message in sound["messages"]:
        if isinstance(message["content"], list):
            kept = [block for block in message["content"] if block["type"] != "thinking"]
            message["content"] = kept or "Well."
    return dict(sound)
