"""What must hold of the prompt cache for any conversation."""

from __future__ import annotations

from dataclasses import replace
from itertools import accumulate
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from ctxengine.catalog import default_catalog
from ctxengine.edits.switches import switches_of
from ctxengine.semantics.cache import CacheRequest, Mark, Prompt, PromptCache
from ctxengine.semantics.cache_prompt import PromptReader
from ctxengine.semantics.cache_rules import CacheRules, cache_rules
from ctxengine.target import target_of
from tests.semantics.shorthand import count, request_of

MODEL = "claude-opus-5-5"
RULES = cache_rules(default_catalog(), target_of(default_catalog(), model=MODEL), switches_of())
SIZES = st.integers(0, 800)
TTLS = st.sampled_from(["5m", "1h"])


@st.composite
def asked(draw: st.DrawFn, most: int = 40) -> CacheRequest:
    """A request over a small alphabet, so that prefixes meet; marks anywhere, 1h ones first."""
    contents = draw(st.lists(st.integers(0, 1), min_size=1, max_size=most))
    prompt = Prompt.of(contents, (300 + content for content in contents))
    blocks = sorted(draw(st.sets(st.integers(0, len(contents) - 1), max_size=4)))
    ttls = sorted(draw(st.lists(TTLS, min_size=len(blocks), max_size=len(blocks))))
    marks = [Mark(block, ttl) for block, ttl in zip(blocks, ttls, strict=True)]
    return CacheRequest(prompt, marks, prompt.tokens[-1] + 3)


RULED = st.builds(replace, st.just(RULES), stores_inside_reads=st.booleans(), lookback=st.integers(1, 20))
HISTORIES = st.lists(st.tuples(asked(), st.integers(0, 2000)), max_size=12)


@settings(deadline=None)
@given(HISTORIES, RULED)
def test_sums_and_bounds(history: list[tuple[CacheRequest, int]], rules: CacheRules) -> None:
    """Read, written and uncached add up; nothing is negative, or read before any request held it in the cache."""
    cache, now, held = PromptCache(), 0, {0}
    for request, later in history:
        now += later
        use = cache.take(request, rules, now)
        assert use.total == request.total
        assert min(use.read, use.write_5m, use.write_1h, use.uncached) >= 0
        assert use.read <= max(held)
        held.add(use.read + use.written)
        held.update(request.prompt.tokens[mark.block] for mark in request.marks)


@settings(deadline=None)
@given(HISTORIES, asked(), RULED, st.integers(0, 299))
def test_again(history: list[tuple[CacheRequest, int]], request: CacheRequest, rules: CacheRules, later: int) -> None:
    """A second identical request within the ttl reads all that the first read and wrote, and writes nothing."""
    cache, now = PromptCache(), 0
    for before, seconds in history:
        now += seconds
        cache.take(before, rules, now)
    first = cache.take(request, rules, now)
    second = cache.take(request, rules, now + later)
    assert (second.read, second.written) == (first.read + first.written, 0)


@settings(deadline=None)
@given(HISTORIES, asked(), RULED)
def test_use_is_pure(history: list[tuple[CacheRequest, int]], request: CacheRequest, rules: CacheRules) -> None:
    """Looking changes nothing: what is not kept did not happen."""
    cache = PromptCache()
    for before, _ in history:
        cache.take(before, rules, 0)
    assert cache.use(request, rules, 0) == cache.use(request, rules, 0)


@settings(deadline=None)
@given(st.integers(600, 2000), st.lists(st.lists(SIZES, min_size=1, max_size=19), min_size=1, max_size=12), TTLS)
def test_growing_conversation(first: int, turns: list[list[int]], ttl: Any) -> None:
    """A conversation that only grows, by fewer than twenty places a turn, reads all that the last mark wrote."""
    sizes = [first, *(size for turn in turns for size in turn)]
    prompt = Prompt.of(range(len(sizes)), sizes)
    cache, left = PromptCache(), 0
    for end in accumulate(map(len, turns), initial=0):
        use = cache.take(CacheRequest(prompt, [Mark(end, ttl)], prompt.tokens[end]), RULES, 0)
        assert (use.read, use.written) == (left, prompt.tokens[end] - left)
        left = prompt.tokens[end]


BLOCKS = st.sampled_from(
    ["a#300", "b#300", "use u#20", "use v#20", "result u#90", "result v#90", "think t#9", "image i#70"]
)
MARKED = st.builds(str.__add__, BLOCKS, st.sampled_from(["", "", "", " @5m"]))
MESSAGES = st.lists(
    st.builds(
        lambda role, blocks: [role, *blocks], st.sampled_from(["user", "assistant"]), st.lists(MARKED, max_size=3)
    ),
    max_size=6,
)
HEADS = st.fixed_dictionaries(
    {"tools": st.sampled_from([[], ["t#300"]]), "system": st.sampled_from(["s#300", "r#9 @5m"])}
)


@settings(deadline=None)
@given(st.lists(st.tuples(HEADS, MESSAGES, st.integers(0, 6)), min_size=1, max_size=6))
def test_reader_remembers_nothing_wrong(steps: list[tuple[dict[str, Any], list[list[str]], int]]) -> None:
    """A reader that keeps what did not change reads the same as one that reads everything anew."""
    reader, before = PromptReader(count, switches_of()), request_of({**steps[0][0], "messages": []})
    given_out = []
    for head, messages, kept in steps:
        request = request_of({**head, "messages": messages})
        if head == steps[0][0]:
            request["tools"], request["system"] = before["tools"], before["system"]
        request["messages"] = before["messages"][:kept] + request["messages"]
        given_out.append((request, reader.read(request, MODEL, RULES)))
        before = request
    for request, read in given_out:
        anew = PromptReader(count, switches_of()).read(request, MODEL, RULES)
        size = len(anew.prompt.ids)
        assert [list(row)[:size] for row in _rows(read.prompt)] == [list(row) for row in _rows(anew.prompt)]
        assert (read.marks, read.total, read.scope) == (anew.marks, anew.total, anew.scope)


def _rows(prompt: Prompt) -> tuple[Any, ...]:
    return prompt.ids, prompt.tokens, prompt.places


@settings(deadline=None)
@given(st.lists(st.tuples(MESSAGES.filter(bool), st.integers(0, 400)), min_size=1, max_size=6))
def test_both_fronts_agree(steps: list[tuple[list[list[str]], int]]) -> None:
    """Requests read, and prompts made from the sizes of the same blocks, have the same bill."""
    reader, read_cache, made_cache, now = PromptReader(count, switches_of()), PromptCache(), PromptCache(), 0
    for messages, later in steps:
        now += later
        request = request_of({"messages": messages})
        asked = reader.read(request, MODEL, RULES)
        contents = [
            (message["role"], str({name: part for name, part in block.items() if name != "cache_control"}))
            for message in request["messages"]
            for block in message["content"]
        ]
        sizes = [count(block) for message in request["messages"] for block in message["content"]]
        prompt = Prompt.of(contents, sizes, asked.prompt.places)
        made = CacheRequest(prompt, asked.marks, sum(sizes) + RULES.opening_tokens, (asked.scope[2],) * 3)
        one, other = read_cache.take(asked, RULES, now), made_cache.take(made, RULES, now)
        assert (one.read, one.write_5m, one.uncached) == (other.read, other.write_5m, other.uncached)
