"""What requests read from the prompt cache and write to it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from ctxengine.catalog import default_catalog
from ctxengine.edits.switches import switches_of
from ctxengine.semantics.applying import counter_for
from ctxengine.semantics.cache import CacheUse, PromptCache
from ctxengine.semantics.cache_prompt import PromptReader
from ctxengine.semantics.cache_rules import cache_rules
from ctxengine.target import target_of
from tests.semantics.shorthand import count, request_of

CASES = Path(__file__).parent / "cases"
CATALOG = default_catalog()
MODEL = "claude-opus-5-5"


class Conversation:
    """A cache and a reader, with a model and a platform."""

    def __init__(self, platform: str = "anthropic", switches: Mapping[str, str] | None = None) -> None:
        self.cache, self.switches, self.platform = PromptCache(), switches_of(switches), platform
        self.reader = PromptReader(count, self.switches)

    def send(
        self, request: Mapping[str, Any], *, at: float = 0, model: str = MODEL, key: str = "", refused: bool = False
    ) -> CacheUse:
        rules = cache_rules(CATALOG, target_of(CATALOG, model=model, platform=self.platform), self.switches)
        use = self.cache.use(self.reader.read(request, model, rules, key=key), rules, at)
        self.cache.keep(use, at, readable=rules.keeps_refused or not refused)
        return use


@pytest.mark.parametrize("case", json.loads((CASES / "cache.json").read_text()), ids=lambda case: case["says"])
def test_cache(case: dict[str, Any]) -> None:
    """Each step reads, writes at 5m and at 1h, and leaves uncached what the case says."""
    conversation = Conversation(case.get("platform", "anthropic"), case.get("switches"))
    for step in case["steps"]:
        named = {name: step[name] for name in ("at", "key", "refused") if name in step}
        use = conversation.send(request_of(step), model=step.get("model", case.get("model", MODEL)), **named)
        assert [use.read, use.write_5m, use.write_1h, use.uncached] == step["uses"]


@pytest.mark.parametrize(
    "case", json.loads((CASES / "cache_invalidation.json").read_text()), ids=lambda case: case["says"]
)
def test_invalidation(case: dict[str, Any]) -> None:
    """Of 600 tokens each of tools, system and messages, all marked, what is still read after a change."""
    conversation = Conversation(switches=case.get("switches"))
    first = {"tools": ["t#600 @5m"], "system": "s#600 @5m", "messages": [["user", "a#600 @5m"]]}
    then = {
        **first,
        "tools": [*first["tools"], *case.get("tools", ())],
        "messages": [*first["messages"], *case.get("messages", ())],
        "more": case.get("change", {}),
    }
    assert conversation.send(request_of(first)).written == 1800
    assert conversation.send(request_of(then)).read == case["read"]


@pytest.mark.parametrize(
    ("switches", "marked", "uses"),
    [
        ({}, "inside", [(0, 604), (604, 0)]),
        ({}, "both", [(0, 604), (604, 0)]),
        ({"cache.marks_within_results": "ignored"}, "inside", [(0, 0), (0, 0)]),
        ({"cache.marks_within_results": "ignored"}, "both", [(0, 604), (604, 0)]),
    ],
)
def test_marks_within_a_result(switches: dict[str, str], marked: str, uses: list[tuple[int, int]]) -> None:
    """A mark on any part of a result stands at the end of the result, or nowhere, as the switch says."""
    mark = {"cache_control": {"type": "ephemeral"}}
    first, second = ({"type": "text", "text": text} for text in ("a#300", "b#300"))
    result = {"type": "tool_result", "tool_use_id": "t", **(mark if marked == "both" else {})}
    asked = [
        {"role": "user", "content": "go#1"},
        {"role": "assistant", "content": [{"type": "tool_use", "id": "t", "name": "n#3", "input": {}}]},
    ]
    conversation = Conversation(switches=switches)
    found = [
        conversation.send({"messages": [*asked, {"role": "user", "content": [{**result, "content": parts}]}]})
        for parts in ([{**first, **mark}, second], (first, {**second, **mark}))
    ]
    assert [(use.read, use.written) for use in found] == uses


def test_the_last_mark_within_a_result_says_how_long() -> None:
    """Of marks with lifetimes of their own, the result is written for that of the last."""
    parts = [
        {"type": "text", "text": text, "cache_control": {"type": "ephemeral", "ttl": ttl}}
        for text, ttl in (("a#300", "1h"), ("b#300", "5m"))
    ]
    call = {"type": "tool_use", "id": "t", "name": "n#3", "input": {}}
    result = {"type": "tool_result", "tool_use_id": "t", "content": parts}
    use = Conversation().send(
        {"messages": [{"role": "assistant", "content": [call]}, {"role": "user", "content": [result]}]}
    )
    assert (use.write_5m > 600, use.write_1h) == (True, 0)


def test_same_prompt_in_other_words() -> None:
    """A string is one text block, SDK objects are their fields, and the order of a block's keys means nothing."""
    conversation = Conversation()
    mark = {"type": "ephemeral"}
    block = {"type": "text", "text": "a #700"}
    conversation.send({"messages": [{"role": "user", "content": [{**block, "cache_control": mark}]}]})
    turned = {"cache_control": mark, **dict(reversed(block.items()))}
    assert conversation.send({"messages": [{"role": "user", "content": [turned]}]}).read == 700
    assert conversation.send({"messages": [{"role": "user", "content": "a #700"}], "cache_control": mark}).read == 700


def test_order_inside_an_input() -> None:
    """Clients that shuffle the keys of a tool's input lose the cache."""
    conversation = Conversation()

    def asked(given: dict[str, int]) -> dict[str, Any]:
        use = {"type": "tool_use", "id": "u", "name": "n #700", "input": given, "cache_control": {"type": "ephemeral"}}
        return {"messages": [{"role": "assistant", "content": [use]}]}

    conversation.send(asked({"x": 1, "y": 2}))
    assert conversation.send(asked({"y": 2, "x": 1})).read == 0


def test_total_of_the_whole() -> None:
    """Where the whole request was counted, what the blocks do not hold is uncached."""
    rules = cache_rules(CATALOG, target_of(CATALOG, model=MODEL), switches_of())
    request = request_of({"messages": [["user", "a#600 @5m"]]})
    asked = PromptReader(count, switches_of()).read(request, MODEL, rules, total=640)
    assert PromptCache().use(asked, rules, 0).uncached == 40


def test_tool_instructions() -> None:
    """What the API says about tools in general is behind the system prompt, so a mark there leaves it out."""

    def with_instructions(value: Any) -> int:
        return count(value) + (100 if "input_schema" in json.dumps(value) else 0)

    rules = cache_rules(CATALOG, target_of(CATALOG, model=MODEL), switches_of())
    request = request_of({"tools": ["t#300", "u#300"], "system": "s#50 @5m", "messages": [["user", "a#10"]]})
    asked = PromptReader(with_instructions, switches_of()).read(request, MODEL, rules)
    use = PromptCache().use(asked, rules, 0)
    assert (use.write_5m, use.total) == (650, 763)


def test_expired_prefixes_are_thrown_out() -> None:
    """The store of a server that runs for days does not grow with the requests it has seen."""
    conversation = Conversation()
    for number in range(3000):
        conversation.send({"messages": [{"role": "user", "content": f"{number} #700"}], "cache_control": {}}, at=number)
    assert len(conversation.cache) < 2000


@pytest.mark.parametrize("turned", [False, True], ids=["memory first", "memory last"])
def test_tools_of_the_api(turned: bool) -> None:
    """The instructions come once, with the first tool of the user's own, wherever it stands."""
    tools = [{"type": "memory_20250818", "name": "memory"}, *({"name": n, "input_schema": {}} for n in "abc")]
    sizes = counter_for(CATALOG, CATALOG.models[MODEL])
    rules = cache_rules(CATALOG, target_of(CATALOG, model=MODEL), switches_of())
    request = {"tools": tools[::-1] if turned else tools, "messages": [{"role": "user", "content": "Hi"}]}
    total = PromptReader(sizes, switches_of()).read(request, MODEL, rules).total - rules.opening_tokens
    assert abs(total - sizes(tools) - sizes(request["messages"])) <= len(tools)
