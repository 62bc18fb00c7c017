"""Preserved thinking: what the emulator signed is accepted where it stood, and nowhere else."""

from __future__ import annotations

from typing import Any

import anthropic
import pytest

from ctxengine.emulator import Emulator
from tests.emulator.sdk import CM, HELLO, client, create, emulator

TURN = [
    {"type": "thinking", "thinking": "A greeting.", "signature": "c2NyaXB0ZWQ="},
    {"type": "redacted_thinking", "data": "c2NyaXB0ZWQ="},
    {"type": "text", "text": "Hello."},
]
BINDING = "thinking-binding-controls-2026-08-01"


def _second_turn(emulated: Emulator, model: str) -> dict[str, Any]:
    """A request that replays a first turn with its thinking."""
    first = create(emulated, {**HELLO, "model": model})
    answered = {"role": "assistant", "content": [block.to_dict() for block in first.content]}
    return {
        **HELLO,
        "model": model,
        "messages": [*HELLO["messages"], answered, {"role": "user", "content": "And now?"}],
    }


def _edited(request: dict[str, Any]) -> dict[str, Any]:
    return {**request, "messages": [{"role": "user", "content": "Goodbye"}, *request["messages"][1:]]}


def test_replayed_as_it_was() -> None:
    """Untouched history passes."""
    emulated = emulator([TURN, "Fine."])
    assert create(emulated, _second_turn(emulated, "claude-opus-5-5")).content[0].text == "Fine."


def test_half_a_surrogate_pair_is_signed() -> None:
    """Thinking is signed whatever text a script has it hold, and what is sent is UTF-8, streamed or not."""
    emulated = emulator([[{"type": "thinking", "thinking": "a\ud800b"}, {"type": "text", "text": "Hello."}]] * 2)
    asked = {**HELLO, "model": "claude-opus-5-5"}
    sent = client(emulated).beta.messages.with_raw_response.create(**asked)
    assert "a\\ud800b" in sent.http_response.content.decode("utf-8")
    assert sent.parse().content[0].signature and emulated.failure is None
    with client(emulated).beta.messages.with_streaming_response.create(**asked, stream=True) as streamed:
        assert "a\\ud800b" in b"".join(streamed.iter_bytes()).decode("utf-8")


def test_a_changed_prefix_is_refused() -> None:
    """On a model that checks the prefix, a client's change of what stands before thinking is a 400."""
    emulated = emulator([TURN, "Fine."])
    with pytest.raises(anthropic.BadRequestError, match="bound to a different conversation"):
        create(emulated, _edited(_second_turn(emulated, "claude-opus-5-5")))


@pytest.mark.parametrize(("model", "binds"), [("claude-sonnet-5", True), ("claude-opus-5-5", False)])
def test_where_nothing_is_checked(model: str, binds: bool) -> None:
    """Other models, and accounts that are not bound, take the same history."""
    emulated = emulator([TURN, "Fine."], binds=binds)
    assert create(emulated, _edited(_second_turn(emulated, model))).content[0].text == "Fine."


def test_some_models_bind_every_account() -> None:
    """A model that checks the prefix for every account does so whatever the account's age."""
    emulated = emulator([TURN, "Fine."], binds=False)
    with pytest.raises(anthropic.BadRequestError, match="bound to a different conversation"):
        create(emulated, _edited(_second_turn(emulated, "claude-fable-5-2")))


def test_dropping() -> None:
    """A request may ask that such thinking be dropped; the answer says what was."""
    emulated = emulator([TURN, "Fine."])
    control = {"type": "adaptive", "block_binding": {"prefix_mismatch_behavior": "drop_block"}}
    request = {**_edited(_second_turn(emulated, "claude-opus-5-5")), "thinking": control, "betas": [BINDING]}
    answer = create(emulated, request)
    assert [change.to_dict() for change in answer.input_transformations] == [
        {"type": "thinking_dropped", "path": f"messages.1.content.{at}", "reason": "prefix_binding_mismatch"}
        for at in (0, 1)
    ]


def test_server_side_edits_keep_it_valid() -> None:
    """Clearing thinking on the server is no change of the client's."""
    emulated = emulator([TURN, "Fine."])
    edits = {"edits": [{"type": "clear_thinking_20251015", "keep": {"type": "thinking_turns", "value": 1}}]}
    answer = create(emulated, {**_second_turn(emulated, "claude-opus-5-5"), "context_management": edits, "betas": [CM]})
    assert [edit.type for edit in answer.context_management.applied_edits] == ["clear_thinking_20251015"]
    assert answer.content[0].text == "Fine."


def test_forged_thinking() -> None:
    """Thinking that is not what was signed is refused whatever the request says."""
    emulated = emulator([TURN, "Fine."])
    request = _second_turn(emulated, "claude-opus-5-5")
    request["messages"][1]["content"][0]["thinking"] = "A farewell."
    with pytest.raises(anthropic.BadRequestError, match="Invalid `signature` in `thinking` block"):
        create(emulated, request)
