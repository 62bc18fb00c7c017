"""Preserved thinking: what a client changes is seen, what the server edits is not."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from ctxengine.catalog import default_catalog
from ctxengine.semantics import Outcome, Signer, World, check_bound, outcome, signed, summarised

SIGNER = Signer(b"a key of this test")
WORLD = World(default_catalog(), signer=SIGNER)
BETAS = ["thinking-binding-controls-2026-08-01", "context-management-2025-06-27", "compact-2026-01-12"]
HEAD = {
    "model": "claude-opus-5-5",
    "max_tokens": 1024,
    "betas": BETAS,
    "system": "Be kind.",
    "tools": [{"name": "read", "input_schema": {"type": "object"}}],
}
Change = Callable[[dict[str, Any]], None]


def _replied(request: Mapping[str, Any], thought: str, *said: Mapping[str, Any]) -> list[Any]:
    """The messages with one more reply, its thinking signed."""
    thinking = signed(request, (), {"type": "thinking", "thinking": thought}, SIGNER)
    content = [thinking, *said]
    return [*request["messages"], {"role": "assistant", "content": content}]


def _conversation() -> dict[str, Any]:
    """A question, a tool loop and a second question: three replies that think."""
    messages: list[Any] = [{"role": "user", "content": "Look."}]
    request = {**HEAD, "messages": messages}
    use = {"type": "tool_use", "id": "t1", "name": "read", "input": {"path": "a"}}
    request["messages"] = _replied(request, "first", use)
    result = {"type": "tool_result", "tool_use_id": "t1", "content": "a long result " * 20}
    request["messages"] = [*request["messages"], {"role": "user", "content": [result]}]
    request["messages"] = _replied(request, "second", {"type": "text", "text": "Done."})
    request["messages"] = [*request["messages"], {"role": "user", "content": "And?"}]
    request["messages"] = _replied(request, "third", {"type": "text", "text": "That."})
    request["messages"] = [*request["messages"], {"role": "user", "content": "Thanks."}]
    copied: dict[str, Any] = json.loads(json.dumps(request))
    return copied


def _remove(*indexes: int) -> Change:
    def change(request: dict[str, Any]) -> None:
        for index in indexes:
            del request["messages"][index]["content"][0]

    return change


def _set(path: str, value: Any) -> Change:
    def change(request: dict[str, Any]) -> None:
        *way, last = path.split(".")
        place: Any = request
        for key in way:
            place = place[int(key) if isinstance(place, list) else key]
        place[int(last) if isinstance(place, list) else last] = value

    return change


def _append(request: dict[str, Any]) -> None:
    request["messages"].append({"role": "assistant", "content": "Bye."})


def _defer(request: dict[str, Any]) -> None:
    request["tools"].append({"name": "later", "defer_loading": True, "input_schema": {"type": "object"}})


SAFE: dict[str, Change] = {
    "nothing": lambda request: None,
    "a message is appended": _append,
    "a deferred tool is added": _defer,
    "a cache mark is set": _set("messages.2.content.0.cache_control", {"type": "ephemeral"}),
    "a string becomes one text block": _set("messages.0.content", [{"type": "text", "text": "Look."}]),
    "the first thinking is removed": _remove(1),
    "the first two are removed": _remove(1, 3),
    "the last is removed": _remove(5),
    "all are removed": _remove(1, 3, 5),
}
UNSAFE: dict[str, tuple[Change, list[int]]] = {
    "the first message is rewritten": (_set("messages.0.content", "Looked."), [1, 3, 5]),
    "a tool result is replaced": (_set("messages.2.content.0.content", "[cleared]"), [3, 5]),
    "the system prompt is rewritten": (_set("system", "Be curt."), [1, 3, 5]),
    "the tools are rewritten": (_set("tools.0.name", "write"), [1, 3, 5]),
    "the middle thinking is removed": (_remove(3), [5]),
}


@pytest.mark.parametrize("change", SAFE.values(), ids=SAFE)
def test_safe_changes(change: Change) -> None:
    """Such a change leaves all thinking where it belongs."""
    request = _conversation()
    change(request)
    assert check_bound(request, SIGNER) == ()


@pytest.mark.parametrize(("change", "broken"), UNSAFE.values(), ids=UNSAFE)
def test_unsafe_changes(change: Change, broken: list[int]) -> None:
    """Such a change is seen in every thinking block that comes after it, and is refused."""
    request = _conversation()
    change(request)
    assert [(each.message, each.reason) for each in check_bound(request, SIGNER)] == [(at, "prefix") for at in broken]
    answer = outcome(request, WORLD)
    assert answer.error is not None
    assert (answer.error.rule, answer.error.status) == ("bind-edit", 400)
    assert answer.error.message.startswith(f"messages.{broken[0]}.content.0: Invalid `signature` in `thinking` block.")


@pytest.mark.parametrize("path", ["messages.3.content.0.thinking", "messages.3.content.0.signature"])
def test_forged_thinking(path: str) -> None:
    """Another text or signature is refused even where blocks that do not fit are dropped."""
    request = _conversation()
    _set(path, "forged")(request)
    request["thinking"] = {"type": "adaptive", "block_binding": {"prefix_mismatch_behavior": "drop_block"}}
    answer = outcome(request, WORLD)
    assert answer.error is not None and answer.error.rule == "bind-tamper"


@pytest.mark.parametrize(("said", "refused"), [("forged", True), ("", False)])
def test_where_nothing_hangs_on_the_prefix(said: str, refused: bool) -> None:
    """A model that does not check what stands before thinking still knows its own, and takes what it did not sign."""
    request = {**_conversation(), "model": "claude-opus-4-6", "system": "Other words."}
    _set("messages.3.content.0.thinking" if refused else "messages.3.content.0.signature", said or "c2ln")(request)
    answer = outcome(request, WORLD)
    assert (answer.error.rule if answer.error else None) == ("bind-tamper" if refused else None)


def _changed(**more: Any) -> dict[str, Any]:
    request = _conversation()
    _set("messages.2.content.0.content", "[cleared]")(request)
    return {**request, **more}


def test_drop_block() -> None:
    """With drop_block the blocks that do not fit are left out, and the response says which."""
    asked = {"type": "adaptive", "block_binding": {"prefix_mismatch_behavior": "drop_block"}}
    answer = outcome(_changed(thinking=asked), WORLD)
    said = [(each["type"], each["path"], each["reason"]) for each in answer.input_transformations]
    reason = "prefix_binding_mismatch"
    assert said == [("thinking_dropped", f"messages.{at}.content.0", reason) for at in (3, 5)]
    assert _thoughts(answer) == ["first"]


def test_accounts_that_are_not_bound() -> None:
    """Where nothing is enforced the blocks stay, and the response says so."""
    answer = outcome(_changed(), World(default_catalog(), signer=SIGNER, binds=False))
    assert {each["type"] for each in answer.input_transformations} == {"thinking_mismatch_allowed"}
    assert _thoughts(answer) == ["first", "second", "third"]


def test_models_that_do_not_check() -> None:
    """A model that does not check the prefix reads what it is given."""
    answer = outcome(_changed(model="claude-sonnet-5"), WORLD)
    assert (answer.error, answer.input_transformations) == (None, ())


def test_edits_on_the_server_are_no_change() -> None:
    """The same history with results and thinking cleared by the API is accepted, turn after turn."""
    edits = [
        {"type": "clear_thinking_20251015", "keep": {"type": "thinking_turns", "value": 1}},
        {
            "type": "clear_tool_uses_20250919",
            "trigger": {"type": "input_tokens", "value": 1},
            "keep": {"type": "tool_uses", "value": 0},
        },
    ]
    world = World(default_catalog(), signer=SIGNER, switches={"clear_tool_uses.latest_result": "cleared"})
    answer = outcome({**_conversation(), "context_management": {"edits": edits}}, world)
    assert (answer.error, answer.input_transformations, len(answer.applied_edits)) == (None, (), 2)


def test_a_threshold_compaction_is_no_change() -> None:
    """Thinking after a compaction block stays valid, whether or not what it summarises is still sent."""
    request = _conversation()
    request["context_management"] = {"edits": [{"type": "compact_20260112"}]}
    block = {"type": "compaction", "content": "They looked."}
    thinking = signed(request, [block], {"type": "thinking", "thinking": "fourth"}, SIGNER)
    whole = [*request["messages"], {"role": "assistant", "content": [block, thinking, {"type": "text", "text": "So."}]}]
    for messages in (whole, whole[-1:]):
        grown = {**request, "messages": [*messages, {"role": "user", "content": "Go on."}]}
        assert check_bound(grown, SIGNER) == ()
        assert outcome(grown, WORLD).error is None
    assert check_bound({**request, "system": "Be curt.", "messages": whole}, SIGNER)


def _compacted_early() -> tuple[dict[str, Any], list[Any]]:
    """A summary of the first question and its loop, with the messages after them kept as they were."""
    request = _conversation()
    range_, kept = request["messages"][:4], request["messages"][4:]
    made = summarised({**request, "messages": range_}, "They looked.", SIGNER)
    request["betas"] = [*BETAS, "compact-2026-09-04"]
    return request, [{"role": "assistant", "content": [made.block]}, *kept]


def test_turns_kept_after_an_on_demand_block() -> None:
    """Thinking in turns that directly follow what was summarised stays valid behind the signed block."""
    request, messages = _compacted_early()
    answer = outcome({**request, "messages": messages}, WORLD)
    assert answer.error is None
    assert _thoughts(answer) == ["third"]


def test_turns_left_out_after_an_on_demand_block() -> None:
    """Where the first kept message is missing, the thinking after it does not fit any more."""
    request, messages = _compacted_early()
    left_out = [messages[0], {"role": "user", "content": "Something else?"}, *messages[2:]]
    answer = outcome({**request, "messages": left_out}, WORLD)
    assert answer.error is not None and answer.error.rule == "bind-edit"


@pytest.mark.parametrize(
    ("field", "code"),
    [
        ("content", "compaction_content_mismatch"),
        ("signature", "compaction_signature_invalid"),
        ("tool_changes", "compaction_tool_changes_mismatch"),
    ],
)
def test_a_changed_block_is_seen(field: str, code: str) -> None:
    """A signed block with another content, signature or tool_changes is refused, each with its own code."""
    request, messages = _compacted_early()
    messages[0] = {"role": "assistant", "content": [{**messages[0]["content"][0], field: "other"}]}
    answer = outcome({**request, "messages": messages}, WORLD)
    assert answer.error is not None
    assert answer.error.body()["error"]["details"] == {"error_code": code}


def test_signatures_of_others() -> None:
    """Recorded signatures pass where that is asked for, and are refused otherwise."""
    request = _conversation()
    _set("messages.1.content.0.signature", "EqQBCkYICxgC")(request)
    assert [each.reason for each in check_bound(request, SIGNER)] == ["signature", "prefix"]
    assert Signer(SIGNER.key, foreign=True).is_foreign("EqQBCkYICxgC")


def test_another_key() -> None:
    """A signature made with another key is none."""
    assert {each.reason for each in check_bound(_conversation(), Signer(b"other"))} == {"signature"}


def _thoughts(answer: Outcome) -> list[str]:
    blocks = [
        block for message in answer.request["messages"] for block in message["content"] if isinstance(block, dict)
    ]
    return [block["thinking"] for block in blocks if block["type"] == "thinking"]
