"""What the emulator refuses, by cases: nothing that it does not understand is answered."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import anthropic
import pytest

from ctxengine.emulator import Answer, Call
from tests.emulator.sdk import HELLO, client, create, emulator

CASES = json.loads((Path(__file__).parent / "cases" / "refused.json").read_text())
HEADERS = {"x-api-key": "any", "anthropic-version": "2026-10-21"}


def _given(usual: Mapping[str, Any], changed: Mapping[str, Any]) -> dict[str, Any]:
    """What is usual with changes; what a change makes null is left out."""
    return {name: value for name, value in {**usual, **changed}.items() if value is not None}


def _error(answer: Answer) -> dict[str, Any]:
    body = json.loads(b"".join(answer.parts))
    assert (body["type"], body["request_id"]) == ("error", answer.headers["request-id"])
    return dict(body["error"])


@pytest.mark.parametrize("case", CASES, ids=lambda case: str(case["name"]))
def test_refused(case: Mapping[str, Any]) -> None:
    """The call is refused with this status and type, in words that say what is wrong."""
    body = case.get("raw", json.dumps(_given(HELLO, case.get("with", {})))).encode()
    headers = _given(HEADERS, case.get("headers", {}))
    call = Call(case.get("method", "POST"), case.get("path", "/v1/messages"), {}, headers, body)
    answer = emulator(platform=case.get("platform", "anthropic")).answer(call)
    error = _error(answer)
    assert (answer.status, error["type"]) == (case["status"], case.get("type", "invalid_request_error"))
    assert case["says"] in error["message"]


def test_too_large() -> None:
    """A body beyond the API's limit is a 413."""
    answer = emulator().answer(Call("POST", "/v1/messages", {}, HEADERS, b" " * (32 * 1024 * 1024 + 1)))
    assert (answer.status, _error(answer)["type"]) == (413, "request_too_large")


def test_older_versions() -> None:
    """A request that names an older version may sample, if its model lets it."""
    asked = client(emulator(), default_headers={"anthropic-version": "2023-06-01"})
    older = {**HELLO, "model": "claude-opus-4-6"}
    assert asked.messages.create(**older, extra_body={"temperature": 0.5}).content
    with pytest.raises(anthropic.BadRequestError, match=r"temperature: range: 0\.\.1"):
        asked.messages.create(**older, extra_body={"temperature": 3})
    with pytest.raises(anthropic.BadRequestError, match="`temperature` is deprecated for this model"):
        asked.messages.create(**HELLO, extra_body={"temperature": 0.5})
    with pytest.raises(anthropic.BadRequestError, match="temperature"):
        client(emulator()).messages.create(**HELLO, extra_body={"temperature": 0.5})


def test_rules_refuse_in_the_apis_words() -> None:
    """What a rule of check calls an error is the API's 400."""
    edits = {"edits": [{"type": "clear_tool_uses_20250919"}]}
    with pytest.raises(anthropic.BadRequestError, match="context_management: Extra inputs are not permitted"):
        create(emulator(), {**HELLO, "context_management": edits})


def test_a_thread_names_what_it_does_not_take() -> None:
    """The field that a thread's request may not have stands in the error's details."""
    with pytest.raises(anthropic.BadRequestError) as caught:
        create(emulator(), {**HELLO, "thread": {"type": "create"}, "fallbacks": [{"model": "claude-opus-5"}]})
    details = caught.value.body["error"]["details"]  # type: ignore[index, call-overload]
    assert details == {"error_code": "thread_unsupported_request", "unsupported": ["fallbacks"]}


def test_overflow() -> None:
    """A prompt beyond the window is too long; a reply that would leave it ends there."""
    long = {**HELLO, "model": "claude-haiku-4-5", "messages": [{"role": "user", "content": "too many words " * 70_000}]}
    with pytest.raises(anthropic.BadRequestError, match=r"prompt is too long: \d+ tokens > 200000 maximum"):
        create(emulator(), long)
    near = {**long, "messages": [{"role": "user", "content": "many words " * 55_000}], "max_tokens": 60_000}
    answer = client(emulator(["so many words " * 50_000])).beta.messages.create(**near, timeout=60)
    assert answer.stop_reason == "model_context_window_exceeded"
    assert answer.usage.input_tokens + answer.usage.output_tokens in range(199_990, 200_010)
