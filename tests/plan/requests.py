"""Requests for the property tests: conversations as an agent has them, and anything that JSON can hold."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

MODELS = ("claude-opus-5-5", "claude-opus-4-6", "claude-haiku-4-5", "us.anthropic.claude-sonnet-4-6-v1:0", "unheard-of")
LONG = "A sentence to fill the prompt. " * 400
TEXT = st.sampled_from(["Hi", "Go on.", LONG, "日本語", "\ud800"])
MARK = st.sampled_from([None, None, None, {"type": "ephemeral"}, {"type": "ephemeral", "ttl": "1h"}])
TOOLS = [
    {"name": "read", "description": LONG, "input_schema": {"type": "object"}},
    {"type": "memory_20250818", "name": "memory"},
]
COMPACTION = st.sampled_from(
    [
        {"type": "compaction", "content": None},
        {"type": "compaction", "content": "So far."},
        {"type": "compaction", "content": "So far.", "signature": "s"},
    ]
)

SCALAR = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(st.characters(), max_size=4),
    st.sampled_from(["", "user", "assistant", "system", "ephemeral", "5m", "1h", "enabled", "input_tokens", "s"]),
)
CLIENT_TYPES = ["text", "thinking", "tool_use", "tool_result", "compaction", "document", "image", "hologram"]
SERVER_TYPES = ["redacted_thinking", "server_tool_use", "web_search_tool_result"]
EDIT_TYPES = ["clear_tool_uses_20250919", "compact_20260112"]
TYPE = st.sampled_from([*CLIENT_TYPES, *SERVER_TYPES, *EDIT_TYPES, ""])
BLOCK_KEYS = ["type", "role", "content", "text", "id", "tool_use_id", "name", "input", "signature", "source"]
EDIT_KEYS = ["edits", "trigger", "keep", "value", "cache_control", "ttl", "thinking", "citations", "anthropic-beta"]
KEY = st.sampled_from([*BLOCK_KEYS, *EDIT_KEYS])
ANYTHING = st.recursive(
    SCALAR | TYPE,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEY | st.text(max_size=2), inner, max_size=5),
    max_leaves=12,
)


def _given(required: dict[str, Any], optional: dict[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(required, optional=optional)


BLOCK = _given(
    {"type": TYPE},
    {
        "id": st.sampled_from(["a", "b"]),
        "tool_use_id": st.sampled_from(["a", "b", "c"]) | SCALAR,
        "text": SCALAR,
        "content": ANYTHING,
        "signature": SCALAR,
        "cache_control": MARK | ANYTHING,
    },
)
MESSAGE = _given(
    {"role": st.sampled_from(["user", "assistant", "system"]), "content": st.lists(BLOCK, max_size=4) | TEXT}, {}
)
ANY_REQUEST = _given(
    {"model": st.sampled_from(MODELS), "messages": st.lists(MESSAGE | ANYTHING, max_size=6)},
    {
        "system": TEXT | st.lists(BLOCK | ANYTHING, max_size=3),
        "tools": st.lists(BLOCK | ANYTHING, max_size=3),
        "thinking": ANYTHING,
        "max_tokens": SCALAR,
        "context_management": ANYTHING | _given({"edits": st.lists(_given({"type": TYPE}, {"keep": ANYTHING}))}, {}),
        "betas": ANYTHING,
        "extra_headers": ANYTHING | _given({"Anthropic-Beta": SCALAR}, {}),
        "extra_body": ANYTHING,
        "cache_control": ANYTHING,
        "compaction": ANYTHING,
        "thread": ANYTHING,
        "output_config": ANYTHING,
        "tool_choice": ANYTHING,
        "mcp_servers": ANYTHING,
    },
)
WILD_REQUEST = st.dictionaries(
    st.sampled_from(["model", "messages", "system", "tools", "betas", "context_management"]), ANYTHING
).map(lambda given: {"model": "claude-opus-5-5", **given})


@st.composite
def conversations(draw: st.DrawFn, *, plain: bool = False) -> dict[str, Any]:
    """A request that an agent could send: every tool use answered, and unless ``plain`` marks and compaction blocks."""
    messages: list[dict[str, Any]] = [{"role": "user", "content": draw(st.sampled_from([LONG, LONG, "Hi"]))}]
    for step in range(draw(st.integers(0, 6))):
        messages += _step(draw, step, plain=plain)
    request = {"model": draw(st.sampled_from(MODELS)), "max_tokens": 1024, "messages": messages}
    request |= draw(st.fixed_dictionaries({}, optional={"system": TEXT, "tools": st.just(TOOLS)}))
    return request | draw(st.fixed_dictionaries({}, optional={"thinking": st.just({"type": "adaptive"})}))


def _step(draw: st.DrawFn, step: int, *, plain: bool) -> list[dict[str, Any]]:
    """An assistant message with 0 to 24 tool uses, and the user's answer to it."""
    uses = [f"t{step}_{each}" for each in range(draw(st.sampled_from([0, 1, 2, 24])))]
    said: list[dict[str, Any]] = [{"type": "text", "text": "So."}] if draw(st.booleans()) else []
    said += [draw(COMPACTION)] if not plain and draw(st.integers(0, 7)) == 0 else []
    said += [{"type": "thinking", "thinking": "Hm.", "signature": "s"}] if draw(st.booleans()) else []
    said += [{"type": "text", "text": "Well."}] if draw(st.booleans()) or not uses else []
    said += [{"type": "tool_use", "id": use, "name": "read", "input": {}} for use in uses]
    answers = [{"type": "tool_result", "tool_use_id": use, "content": draw(TEXT)} for use in uses]
    mark = draw(MARK) if step < 4 and not plain else None
    if mark:
        answers.append({"type": "text", "text": "Go on.", "cache_control": mark})
    return [{"role": "assistant", "content": said}, {"role": "user", "content": answers or draw(TEXT)}]
