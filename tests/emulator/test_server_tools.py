"""What recordings of code execution showed about the passes of one message."""

from __future__ import annotations

import json
from typing import Any

from ctxengine.emulator import Call, Emulator

REPLY = {
    "content": [
        {
            "type": "server_tool_use",
            "id": "srvtoolu_1",
            "name": "bash_code_execution",
            "input": {"command": "ls " * 9},
        },
        {"type": "bash_code_execution_tool_result", "tool_use_id": "srvtoolu_1", "content": {"stdout": "a.csv " * 50}},
        {"type": "text", "text": "One file."},
    ],
    "stop_reason": "end_turn",
    "usage": {"output_tokens": 5},
}
HEADERS = {"x-api-key": "k", "anthropic-version": "2023-06-01", "anthropic-beta": "compact-2026-01-12"}


def _iterations(marks: dict[str, Any], **more: Any) -> list[dict[str, Any]]:
    text = {"type": "text", "text": "Which files are there? " * 400, **marks}
    body = {"model": "claude-sonnet-4-6", "max_tokens": 500, "messages": [{"role": "user", "content": [text]}], **more}
    answer = Emulator([REPLY]).answer(Call("POST", "/v1/messages", headers=HEADERS, body=json.dumps(body).encode()))
    found: list[dict[str, Any]] = json.loads(b"".join(answer.parts))["usage"]["iterations"]
    return found


def test_output_tokens_add_up() -> None:
    """The passes together write what the reply is said to have, although its blocks look larger."""
    assert sum(each["output_tokens"] for each in _iterations({})) == 5


def test_later_pass_is_written() -> None:
    """What a server tool added is written to the cache by the next pass, though no mark stands behind it."""
    first, second = _iterations({"cache_control": {"type": "ephemeral"}})
    assert second["cache_read_input_tokens"] == first["cache_creation_input_tokens"] > 0
    assert second["cache_creation_input_tokens"] > 0
    assert second["input_tokens"] == first["input_tokens"]


def test_nothing_is_written_unasked() -> None:
    """Without any mark no pass writes to the cache."""
    assert [each["cache_creation_input_tokens"] for each in _iterations({})] == [0, 0]


def test_no_pass_reads_what_the_model_drops() -> None:
    """Thinking of an older turn, which this model does not read, is in no pass of a message."""
    thought = {"type": "thinking", "thinking": "What is there to list? " * 500, "signature": "s"}
    history = [
        {"role": "user", "content": "Hello"},
        {"role": "assistant", "content": [thought, {"type": "text", "text": "Yes?"}]},
        {"role": "user", "content": "Which files are there?"},
    ]
    thinking = {"type": "enabled", "budget_tokens": 1024}
    first, second = _iterations({}, model="claude-haiku-4-5", max_tokens=2048, thinking=thinking, messages=history)
    assert 0 < first["input_tokens"] < second["input_tokens"] < 500
