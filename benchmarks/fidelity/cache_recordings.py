"""The cache model against recorded requests: whole prompts, with sizes estimated, sent one after the other.

The sizes are estimates, so what is compared is which of read, written at 5m, written at 1h and uncached are nothing.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ctxengine.catalog import default_catalog
from ctxengine.edits.switches import switches_of
from ctxengine.semantics.cache import PromptCache
from ctxengine.semantics.cache_prompt import PromptReader
from ctxengine.semantics.cache_rules import CacheRules, cache_rules
from ctxengine.target import target_of
from ctxengine.tokens import CalibratedCounter, measure

CATALOG = default_catalog()
SWITCHES = switches_of()
COUNTER = CalibratedCounter(CATALOG.tokenizers)
SIZED_AS = "claude-sonnet-4-6"


def rules_of(name: str) -> tuple[str, CacheRules]:
    """The canonical id of a model and the cache's rules for it."""
    target = target_of(CATALOG, model=name)
    return target.model, cache_rules(CATALOG, target, SWITCHES)


def print_recordings(folder: Path) -> None:
    """A line for each recorded request with marks, and how many were billed as the model says."""
    print(f"\n{'recording':56} {'marks':20} {'billed: read 5m 1h uncached':>28}   model (estimated sizes)")
    reasons: Counter[str] = Counter()
    for path in sorted(folder.glob("*.json")):
        cache, reader = PromptCache(), PromptReader(_count, SWITCHES)
        for second, (body, usage) in enumerate(_interactions(path)):
            model, rules = rules_of(str(body["model"]))
            asked = reader.read(body, model, rules)
            use = cache.take(asked, rules, float(second))
            if asked.marks:
                billed, predicted = _shape(usage), (use.read, use.write_5m, use.write_1h, use.uncached)
                reasons[reason := _difference(billed, predicted)] += 1
                marks = " ".join(f"{mark.block}:{mark.ttl}" for mark in asked.marks)
                print(f"{_short(path)[:56]:56} {marks:20} {billed!s:>28}   {predicted} {reason}")
    print()
    for reason, count in reasons.most_common():
        print(f"{count:6} {reason or 'read and wrote, by ttl, what the model says'}")


def _difference(billed: tuple[int, ...], predicted: tuple[int, ...]) -> str:
    """Why one was read or written and the other not; empty where they agree."""
    if [bool(number) for number in billed] == [bool(number) for number in predicted]:
        return ""
    if not any(predicted[:3]):
        return "estimated below the model's minimum"
    less_written = sum(billed[1:3]) < sum(predicted[1:3])
    if (billed[0] and less_written) or billed[0] > predicted[0] == 0:
        return "read what the recording had not written: older, or an earlier pass of a server tool loop"
    return "differs"


def _short(path: Path) -> str:
    return path.stem.rpartition("__")[2].removeprefix("test_").removeprefix("anthropic_")


def _shape(usage: Mapping[str, Any]) -> tuple[int, int, int, int]:
    split = usage.get("cache_creation") or {}
    long = int(split.get("ephemeral_1h_input_tokens") or 0)
    written, read = (int(usage.get(f"cache_{name}_input_tokens") or 0) for name in ("creation", "read"))
    return read, written - long, long, int(usage.get("input_tokens") or 0)


def _count(value: Any) -> int:
    return COUNTER.estimate(measure(value), CATALOG.models[SIZED_AS]).tokens


def _interactions(path: Path) -> Iterator[tuple[Mapping[str, Any], Mapping[str, Any]]]:
    """The body and the billed usage of each recorded request that was answered."""
    recording = json.loads(path.read_text(encoding="utf-8"))
    for interaction in recording.get("interactions", ()) if isinstance(recording, dict) else ():
        body, response = interaction["request"].get("body"), interaction["response"]
        usage = _usage(response)
        if isinstance(body, dict) and "messages" in body and usage:
            url_model = interaction["request"]["url"].rpartition("/model/")[2].partition("/")[0]
            yield {"model": url_model, **body}, usage


def _usage(response: Mapping[str, Any]) -> dict[str, Any]:
    body = response.get("body")
    if isinstance(body, dict):
        return _first_pass(body.get("usage") or {})
    usage: dict[str, Any] = {}
    for line in str(response.get("sse") or "").splitlines():
        if line.startswith("data:"):
            event = json.loads(line.removeprefix("data:"))
            usage |= (event.get("message") or {}).get("usage") or {}
            usage |= event.get("usage") or {}
    return _first_pass(usage)


def _first_pass(usage: dict[str, Any]) -> dict[str, Any]:
    """What the prompt as sent was billed: with a compaction, the compaction's own entry."""
    first = next(iter(usage.get("iterations") or ()), usage)
    return dict(first if first.get("type") == "compaction" else usage)
