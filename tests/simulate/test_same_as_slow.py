"""The arithmetic and the real thing: every turn built by the engine and treated by the semantics comes out the same."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from ctxengine import Catalog, Engine, default_catalog
from ctxengine.jsontext import read_json
from ctxengine.semantics import World, asked_for_summary, outcome, summary_size, switches_of
from ctxengine.semantics.cache import PromptCache
from ctxengine.semantics.cache_prompt import PromptReader
from ctxengine.semantics.cache_rules import cache_rules
from ctxengine.simulate import Simulator
from ctxengine.target import target_of
from ctxengine.tokens import CalibratedCounter, measure
from ctxengine.transcripts import Transcript

MODELS = {"claude-opus-4-6": {"type": "adaptive"}, "claude-haiku-4-5": {"type": "enabled", "budget_tokens": 1024}}
"""One that keeps all thinking, and one that drops what stands before the newest question."""
GAP = 100.0
TOOLS = ("read", "search")
WHOLE = {
    "text": 1.0,
    "code": 1.0,
    "wide": 1.0,
    "calls": 5.0,
    "messages": 4.0,
    "tools": 0.0,
    "tool_system": 50.0,
    "summaries": 9.0,
    "memory_tools": 60.0,
    "pixels": 1.0,
}
"""Whole tokens for everything, so that it does not matter where sums are rounded; an image comes to the most it can."""


def catalog() -> Catalog:
    """One with small numbers: windows, minimums and compaction triggers fit small conversations."""
    rows = {name: {"weights": {**row.weights, **WHOLE}} for name, row in default_catalog().tokenizers.items()}
    models = {name: {"min_cache": 300, "retires": None} for name in MODELS}
    limits = {"compact_20260112.trigger": {"at_least": 1}}
    said = {"source": "made up", "as_of": "2026-01-01"}
    tables = {"tokenizers": rows, "models": models, "limits": limits}
    overlay = {name: {key: {**row, **said} for key, row in table.items()} for name, table in tables.items()}
    return default_catalog().with_overlay(read_json(json.dumps(overlay).encode(), "small", rule="catalog-overlay"))


CATALOG = catalog()
SIZES = CalibratedCounter(CATALOG.tokenizers)
FACTS = CATALOG.models["claude-opus-4-6"]


def count(value: Any) -> int:
    return SIZES.estimate(measure(value), FACTS).tokens


IMAGE = {"type": "image", "source": {"type": "url", "url": "https://a.b/c.png"}}
CITED = {"citations": {"enabled": True}}
DOCUMENT = {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "word " * 9}, **CITED}
SEARCHED = {
    "type": "search_result",
    "source": "s",
    "title": "t",
    "content": [{"type": "text", "text": "word"}],
    **CITED,
}
texts = st.integers(1, 400).map(lambda size: "word " * (size // 5 + 1))
names = st.sampled_from(["read", "search", "memory"])


@st.composite
def conversations(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Questions and answers with thinking, parallel tool uses, and results as text or as blocks."""
    messages: list[dict[str, Any]] = [{"role": "user", "content": draw(texts)}]
    for turn in range(draw(st.integers(1, 12))):
        blocks: list[dict[str, Any]] = []
        if draw(st.booleans()):
            blocks.append({"type": "thinking", "thinking": draw(texts), "signature": "c2ln"})
        if draw(st.integers(0, 3)) == 0:
            blocks += _search(draw, f"srvtoolu_{turn}")
        many = draw(st.sampled_from([0, 0, 1, 1, 1, 24]))
        blocks += ({"type": "text", "text": draw(texts)} for _ in range(many))
        ids = [f"toolu_{turn}_{at}" for at in range(draw(st.integers(0 if many else 1, 3)))]
        blocks += ({"type": "tool_use", "id": id, "name": draw(names), "input": {"path": draw(texts)}} for id in ids)
        messages.append({"role": "assistant", "content": blocks})
        results: list[dict[str, Any]] = [_result(draw, id) for id in ids]
        if not ids or draw(st.integers(0, 4)) == 0:
            results.append({"type": "text", "text": draw(texts)})
        if draw(st.integers(0, 9)) == 0:
            results.append(draw(st.sampled_from([IMAGE, DOCUMENT, SEARCHED])))
        messages.append({"role": "user", "content": results})
        if draw(st.integers(0, 9)) == 0:
            messages.append({"role": "user", "content": [{"type": "text", "text": draw(texts)}]})
    return messages


def with_block(message: dict[str, Any], at: int) -> dict[str, Any]:
    """An answer with a summary of all before it, behind the server's tool use, whose result has a mark of the caller's,
    and in front of the first text."""
    if message["role"] != "assistant":
        return message
    blocks = message["content"]
    ours = ("thinking", "server_tool_use", "web_search_tool_result")
    split = next((at for at, block in enumerate(blocks) if block["type"] not in ours), len(blocks))
    before = [
        {**block, "cache_control": {"type": "ephemeral"}} if block["type"] == "web_search_tool_result" else block
        for block in blocks[:split]
    ]
    summary = {"type": "compaction", "content": f"They talked up to message {at}."}
    return {**message, "content": [*before, summary, *blocks[split:]]}


def with_mark(message: dict[str, Any]) -> dict[str, Any]:
    """A user's message with a mark of the caller's at its end; within the result there, where that has parts."""
    if message["role"] != "user" or isinstance(message["content"], str):
        return message
    *rest, last = message["content"]
    if last["type"] == "tool_result" and isinstance(last["content"], list):
        *others, part = last["content"]
        marked = {**last, "content": [*others, {**part, "cache_control": {"type": "ephemeral"}}]}
    else:
        marked = {**last, "cache_control": {"type": "ephemeral"}}
    return {**message, "content": [*rest, marked]}


def _search(draw: st.DrawFn, id: str) -> Iterator[dict[str, Any]]:
    """A tool use of the server's, and its result, in one answer."""
    yield {"type": "server_tool_use", "id": id, "name": "web_search", "input": {"query": draw(texts)}}
    found = {"type": "web_search_result", "url": "u", "title": draw(texts), "encrypted_content": draw(texts)}
    yield {"type": "web_search_tool_result", "tool_use_id": id, "content": [found]}


def _result(draw: st.DrawFn, id: str) -> dict[str, Any]:
    text = draw(st.one_of(st.just(""), st.just("ok"), texts))
    content: Any = [{"type": "text", "text": text}] if text and draw(st.booleans()) else text
    if draw(st.integers(0, 19)) == 0:
        content = [IMAGE]
    return {"type": "tool_result", "tool_use_id": id, "content": content}


amounts = st.integers(1, 2000)
tool_edits = st.fixed_dictionaries(
    {
        "type": st.just("clear_tool_uses_20250919"),
        "trigger": st.one_of(
            st.builds(lambda value: {"type": "input_tokens", "value": value}, amounts),
            st.builds(lambda value: {"type": "tool_uses", "value": value}, st.integers(1, 6)),
        ),
        "keep": st.builds(lambda value: {"type": "tool_uses", "value": value}, st.integers(0, 4)),
    },
    optional={
        "clear_at_least": st.builds(lambda value: {"type": "input_tokens", "value": value}, amounts),
        "exclude_tools": st.just(["memory"]),
        "clear_tool_inputs": st.one_of(st.booleans(), st.just(["read"])),
    },
)
thinking_edits = st.fixed_dictionaries(
    {
        "type": st.just("clear_thinking_20251015"),
        "keep": st.builds(lambda value: {"type": "thinking_turns", "value": value}, st.integers(1, 3)),
    }
)
places = st.lists(st.sampled_from(["tools", "system", "compaction_block", "last_message"]), unique=True)


@st.composite
def policies(draw: st.DrawFn) -> dict[str, Any]:
    edits = [draw(each) for each in (thinking_edits, tool_edits) if draw(st.booleans())]
    policy: dict[str, Any] = {"version": "1", "edits": edits, "on_unsupported": "degrade"}
    policy["cache"] = {"breakpoints": draw(places), "ttl": draw(st.sampled_from(["5m", "1h"]))}
    if draw(st.booleans()):
        policy["compaction"] = {"mode": "threshold", "trigger": {"type": "input_tokens", "value": draw(amounts) + 900}}
        policy["compaction"] |= draw(st.sampled_from([{}, {"instructions": "Tell what was found, and where."}]))
    return policy


def slowly(request: Mapping[str, Any], policy: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Every turn the long way: the real request of the engine, edited, and read into the cache."""
    engine = Engine.from_policy(policy, catalog=CATALOG)
    switches = switches_of(None, CATALOG)
    target = target_of(CATALOG, model=request["model"], thinking=request["thinking"])
    rules = cache_rules(CATALOG, target, switches)
    cache, reader = PromptCache(), PromptReader(count, switches)
    messages, now = list(request["messages"]), 0.0
    for index in range(1, len(messages)):
        if messages[index]["role"] != "assistant":
            continue
        built = engine.build(**{**request, "messages": messages[:index]})
        applied = outcome(built, World(CATALOG, count=count))
        assert applied.error is None
        asked = reader.read(applied.request, target.model, rules)
        if applied.compaction:
            asked = asked_for_summary(asked, applied.compaction.asking_tokens, rules)
        written = [cache.take(asked, rules, now)]
        if applied.compaction:
            content = str(index).rjust(summary_size(applied.input_tokens), "s")
            block = {"type": "compaction", "content": content}
            alone = {**built, "messages": [{"role": "assistant", "content": [block]}], "cache_control": None}
            written.append(cache.take(reader.read(alone, target.model, rules), rules, now))
            messages[index] = {"role": "assistant", "content": [block, *messages[index]["content"]]}
        yield {
            "original_tokens": applied.original_tokens,
            "peak": applied.input_tokens,
            "cleared": list(applied.applied_edits),
            "compaction": applied.compaction is not None,
            "cache_read": sum(each.read for each in written),
            "cache_write_5m": sum(each.write_5m for each in written),
            "cache_write_1h": sum(each.write_1h for each in written),
            "uncached": sum(each.uncached for each in written),
        }
        now += GAP


def edits_of(row: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What the API would report of a row's edits."""
    found: list[dict[str, Any]] = []
    if row["cleared_thinking_turns"]:
        found.append(
            {
                "type": "clear_thinking_20251015",
                "cleared_thinking_turns": row["cleared_thinking_turns"],
                "cleared_input_tokens": row["cleared_thinking_tokens"],
            }
        )
    if row["cleared_tool_uses"]:
        found.append(
            {
                "type": "clear_tool_uses_20250919",
                "cleared_tool_uses": row["cleared_tool_uses"],
                "cleared_input_tokens": max(row["cleared_input_tokens"], 0),
            }
        )
    return found


@given(
    messages=conversations(),
    policy=policies(),
    short=st.booleans(),
    model=st.sampled_from(list(MODELS)),
    marked=st.sets(st.integers(0, 12), max_size=2),
    automatic=st.booleans(),
    blocks=st.sets(st.integers(0, 12), max_size=2),
)
@settings(deadline=None, max_examples=100)
def test_arithmetic_is_what_the_engine_and_the_api_do(
    messages: list[dict[str, Any]], policy: dict[str, Any], short: bool, model: str, marked: set[int], automatic: bool,
    blocks: set[int],
) -> None:  # fmt: skip
    """Sizes, edits, compactions and the cache's reads and writes of each turn are those of the real requests."""
    if "compaction" in policy and model == "claude-opus-4-6":
        messages = [with_block(message, at) if at in blocks else message for at, message in enumerate(messages)]
    request = {
        "model": model,
        "max_tokens": 2000,
        "thinking": MODELS[model],
        "system": "Be brief. " * (3 if short else 50),
        "tools": [
            {"type": "memory_20250818", "name": "memory"},
            {"type": "web_search_20250305", "name": "web_search"},
            *({"name": name, "description": "Does it. ", "input_schema": {"type": "object"}} for name in TOOLS),
        ],
        "messages": [with_mark(message) if at in marked else message for at, message in enumerate(messages)],
    }
    if automatic:
        request["cache_control"] = {"type": "ephemeral"}
    simulator = Simulator([policy], catalog=CATALOG, gap=GAP)
    session = simulator.session(Transcript("small", "messages", request))
    rows = [row for row in session.rows if row["policy"] != "no policy"]
    expected = list(slowly(request, policy))
    assert len(rows) == len(expected), session.findings
    for row, slow in zip(rows, expected, strict=True):
        made = {**{name: row[name] for name in slow if name != "cleared"}, "cleared": edits_of(row)}
        assert made == slow, row["turn"]


def test_a_mark_within_a_result_goes_with_it() -> None:
    """A caller's mark on a part of a result is in the prompt until the result is cleared, as in the real requests."""
    messages: list[dict[str, Any]] = [{"role": "user", "content": "Go"}]
    for at in range(4):
        part = {"type": "text", "text": "word " * 300, **({"cache_control": {"type": "ephemeral"}} if at == 1 else {})}
        use = {"type": "tool_use", "id": f"t{at}", "name": "read", "input": {"path": "a"}}
        messages.append({"role": "assistant", "content": [use]})
        result = {"type": "tool_result", "tool_use_id": f"t{at}", "content": [part]}
        messages.append({"role": "user", "content": [result]})
    messages.append({"role": "assistant", "content": "Done"})
    edit = {
        "type": "clear_tool_uses_20250919",
        "trigger": {"type": "input_tokens", "value": 100},
        "keep": {"type": "tool_uses", "value": 2},
    }
    policy = {"version": "1", "edits": [edit], "cache": {"breakpoints": []}, "on_unsupported": "degrade"}
    tools = [{"name": name, "description": "Does it. ", "input_schema": {"type": "object"}} for name in TOOLS]
    request = {"model": "claude-opus-4-6", "max_tokens": 2000, "thinking": MODELS["claude-opus-4-6"], "tools": tools}
    request = {**request, "system": "Be brief. " * 50, "messages": messages}
    session = Simulator([policy], catalog=CATALOG, gap=GAP).session(Transcript("small", "messages", request))
    rows = [row for row in session.rows if row["policy"] != "no policy"]
    names = ("cache_read", "cache_write_5m", "uncached")
    assert [[row[name] for name in names] for row in rows] == [
        [row[name] for name in names] for row in slowly(request, policy)
    ]
    assert [row["cache_write_5m"] > 0 for row in rows] == [False, False, True, True, False]
