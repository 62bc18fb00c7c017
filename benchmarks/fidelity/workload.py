"""What a loop of tool calls costs under a policy: sizes in, dollars out, by the same arithmetic as the emulator."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ctxengine.catalog import default_catalog
from ctxengine.edits.clear_tool_uses_choice import Clearing, Use
from ctxengine.edits.compact_effect import is_due
from ctxengine.edits.switches import switches_of
from ctxengine.semantics import summary_size
from ctxengine.semantics.cache import CacheRequest, CacheUse, Mark, Prompt, PromptCache
from ctxengine.semantics.cache_rules import cache_rules
from ctxengine.simulate.bills import dollars, price_of
from ctxengine.target import target_of

CATALOG = default_catalog()
SWITCHES = switches_of()
OWN_PROMPT = int(CATALOG.limit("compaction.own_prompt").at_most or 0)
PLACEHOLDER = 8
"""Tokens of what stands in for a cleared result."""
PAUSE = 10.0
"""Seconds between two requests: nothing expires."""


@dataclass(frozen=True)
class Step:
    """One turn: what the model writes, and the result of the tool that it calls."""

    output: int
    result: int
    opens: bool = False
    """Whether a new task begins with it."""


@dataclass(frozen=True)
class Policy:
    """Edits as the API takes them, with all their fields; ``prunes`` empties the results of finished tasks at once."""

    clear: Mapping[str, Any] | None = None
    compact: Mapping[str, Any] | None = None
    prunes: bool = False


@dataclass
class Bill:
    """Dollars, and what was billed apart from the top level of usage."""

    dollars: float = 0.0
    of_compactions: float = 0.0
    clearings: int = 0
    """Requests that cleared more than the one before."""
    compactions: int = 0
    contexts: list[int] = field(default_factory=list)


def bill(model: str, head: int, steps: Sequence[Step], policy: Policy) -> Bill:
    """The whole loop: one request more than there are steps, with the automatic cache mark alone."""
    target = target_of(CATALOG, model=model)
    rules, cache, made = cache_rules(CATALOG, target, SWITCHES), PromptCache(), Bill()
    begun, summary, cleared, pruned = 0, 0, 0, 0
    for now in range(len(steps) + 1):
        last = steps[now - 1] if now else Step(0, 0)
        if policy.prunes and now < len(steps) and steps[now].opens:
            pruned = now
        gone = set(range(pruned))
        if policy.clear:
            gone |= _cleared(head, summary, steps[begun:now], policy.clear, begun)
            made.clearings += len(gone) > cleared
            cleared = len(gone)
        prompt = _prompt(head, summary, steps, range(begun, now), gone)
        if policy.compact and is_due(policy.compact, prompt.tokens[-1]):
            summary = summary_size(prompt.tokens[-1])
            made.of_compactions += _pass(model, cache, rules, prompt, OWN_PROMPT, summary, now)
            made.compactions += 1
            begun, cleared = now, 0
            prompt = _prompt(head, summary, steps, range(begun, now), set())
        output = steps[now].output if now < len(steps) else last.output
        made.dollars += _pass(model, cache, rules, prompt, 0, output, now)
        made.contexts.append(prompt.tokens[-1])
    return made


def price(model: str, use: CacheUse, output: int) -> float:
    """Dollars of one pass."""
    return dollars(price_of(CATALOG.models[model], use.total), use, output) or 0.0


def _pass(model: str, cache: PromptCache, rules: Any, prompt: Prompt, more: int, output: int, now: int) -> float:
    marks = [Mark(len(prompt.tokens) - 1, "5m")]
    asked = CacheRequest(prompt, marks, prompt.tokens[-1] + rules.opening_tokens + more)
    return price(model, cache.take(asked, rules, now * PAUSE), output)


def _cleared(head: int, summary: int, steps: Sequence[Step], params: Mapping[str, Any], begun: int) -> set[int]:
    clearing = Clearing(params, SWITCHES)
    for step in steps:
        clearing.add(Use("tool", step.result - PLACEHOLDER))
    cut = clearing.cut(head + summary + sum(step.output + step.result for step in steps))
    return {begun + index for index in clearing.cleared(cut)}


def _prompt(head: int, summary: int, steps: Sequence[Step], sent: range, gone: set[int]) -> Prompt:
    contents: list[Any] = ["head", ("summary", sent.start)]
    sizes = [head, summary]
    for index in sent:
        contents += [("call", index), ("result", index, index in gone)]
        sizes += [steps[index].output, PLACEHOLDER if index in gone else steps[index].result]
    return Prompt.of(contents, sizes)
