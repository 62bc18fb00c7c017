"""Rules on the policy alone: its own numbers, and what can never act whatever the model."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Any, NamedTuple

from ctxengine.check.planned import (
    INPUT_TOKENS,
    TOOL_USES,
    amount,
    asked,
    compactions,
    effective,
    input_trigger,
    outside,
    tool_edits,
)
from ctxengine.check.rule import Facts, Hit, rule
from ctxengine.check.sources import CONTEXT_EDITING, OBSERVED, OURS
from ctxengine.findings import Place, did_you_mean, shown
from ctxengine.origin import Origin

SECTIONS = ("budget", "guard", "checkpoint")
"""Policy sections whose numbers have bounds of their own name, such as ``budget.usd``."""
KINDS = {
    "window_fraction": ("value", "window_fraction"),
    "break_even": ("requests", "break_even.requests"),
    "turns": ("value", "keep_recent"),
}
"""Type of an amount that only policies know → the key of its number, and the id of its bound."""


class _Number(NamedTuple):
    path: str
    value: float
    limit: str


@rule(
    "policy-range",
    "error",
    "A number in the policy is out of the bounds that make sense for it.",
    help="write a number within the bounds",
    source=OURS,
    needs="policy",
)
def policy_range(facts: Facts) -> Iterator[Hit]:
    said: set[tuple[str, str]] = set()
    for number, origin in _numbers_of(facts):
        broken = outside(facts.catalog.limits.get(number.limit), number.value)
        if broken and (origin.source, origin.path) not in said:
            said.add((origin.source, origin.path))
            yield Hit(f"{number.path} is {number.value:,g}; it {broken}", origin)


def _numbers_of(facts: Facts) -> Iterator[tuple[_Number, Origin]]:
    """Those that count here, then those of overrides for other requests."""
    policy = facts.plan.policy
    for number in _numbers(policy.values):
        yield number, policy.origin(number.path)
    for layer in facts.layers:
        for index, override in enumerate(layer.data.get("overrides", ())):
            base = f"overrides.{index}.set"
            for number in _numbers(override["set"]):
                yield number, Origin(layer.name, f"{base}.{number.path}", layer.document)


def _numbers(settings: Mapping[str, Any]) -> Iterator[_Number]:
    for section in SECTIONS:
        for key, value in settings.get(section, {}).items():
            if isinstance(value, (int, float)):
                yield _Number(f"{section}.{key}", value, f"{section}.{key}")
    yield from _amounts("compaction", settings.get("compaction", {}))
    edits = settings.get("edits", {})
    for key, fields in edits.items() if isinstance(edits, Mapping) else enumerate(edits):
        yield from _amounts(f"edits.{key}", fields)


def _amounts(base: str, fields: Mapping[str, Any]) -> Iterator[_Number]:
    for field, value in fields.items():
        kind = value.get("type") if isinstance(value, Mapping) else None
        key, limit = KINDS.get(str(kind), ("", ""))
        if key and isinstance(value.get(key), (int, float)):
            yield _Number(f"{base}.{field}", value[key], limit)


@rule(
    "policy-ignore-unknown",
    "warning",
    "An entry under `ignore` names a rule that does not exist.",
    help="`ctxengine rules` lists the rules; take the entry out, or correct its name",
    source=OURS,
    needs="policy",
)
def policy_ignore_unknown(facts: Facts) -> Iterator[Hit]:
    for index, entry in enumerate(facts.plan.policy.get("ignore", ())):
        if facts.rule_ids and entry["rule"] not in facts.rule_ids:
            near = did_you_mean(entry["rule"], sorted(facts.rule_ids))
            message = f"there is no rule {shown(entry['rule'])}, so ignoring it does nothing; {near}"
            yield Hit(message, facts.plan.policy.origin(f"ignore.{index}"))


@rule(
    "edit-dup",
    "error",
    "The same edit type stands twice in one layer, or in the request's own edits.",
    help="make one entry of the two: the API answers `duplicate context management strategy`",
    source=OBSERVED,
)
def edit_dup(facts: Facts) -> Iterator[Hit]:
    # layers are judged where they are merged, which is also where a second entry would get lost
    seen: dict[str, int] = {}
    for index, edit in enumerate(facts.request.edits):
        kind = edit.get("type") if isinstance(edit, Mapping) else None
        if isinstance(kind, str) and kind in seen:
            message = f"{shown(kind)} stands twice in context_management.edits: here and at {seen[kind]}"
            yield Hit(message, Place(f"context_management.edits.{index}"))
        elif isinstance(kind, str):
            seen[kind] = index


@rule(
    "edit-keep-dead",
    "warning",
    "So much is kept that the edit has nothing to clear when it is triggered.",
    help="keep less than the trigger asks for, or raise the trigger",
    source=CONTEXT_EDITING,
    needs="policy",
)
def edit_keep_dead(facts: Facts) -> Iterator[Hit]:
    """Not judged on thinking: ``keep: all`` clears nothing on purpose, where a model would keep the last turn only."""
    ceiling = _ceiling(facts)
    for edit in tool_edits(facts):
        keep, trigger = amount(edit.params.get("keep")), effective(facts, edit, "trigger")
        if keep is None or trigger is None:
            continue
        if trigger.kind == TOOL_USES and keep.value >= trigger.value:
            message = f"{edit.type} keeps {keep.value:,} tool uses but is triggered above {trigger.value:,}"
            yield Hit(f"{message}: it then has at most one to clear", asked(edit, "keep"))
        elif trigger.kind == INPUT_TOKENS and ceiling is not None and keep.value >= ceiling:
            message = f"{edit.type} keeps {keep.value:,} tool uses, but the prompt holds at most {ceiling:,} tokens"
            yield Hit(f"{message}: there is never one to clear", asked(edit, "keep"))


def _ceiling(facts: Facts) -> int | None:
    """Tokens beyond which a prompt never grows: the lowest compaction trigger, else the window."""
    triggers = [trigger for edit in compactions(facts) if (trigger := input_trigger(facts, edit)) is not None]
    window = facts.target.window
    return min([*triggers, *([window] if window is not None else [])], default=None)


@rule(
    "override-never",
    "warning",
    "An override waits for a model or platform that the catalog does not have.",
    help="correct the name; models match by their canonical id, with * and ? as wildcards",
    source=OURS,
    needs="policy",
)
def override_never(facts: Facts) -> Iterator[Hit]:
    known: Mapping[str, Mapping[str, Any]] = {"model": facts.catalog.models, "platform": facts.catalog.platforms}
    for layer in facts.layers:
        for index, override in enumerate(layer.data.get("overrides", ())):
            for key, names in known.items():
                said = override["when"].get(key, ())
                for one in [said] if isinstance(said, str) else said:
                    if not any(fnmatchcase(name, one) for name in names):
                        where = Origin(layer.name, f"overrides.{index}.when.{key}", layer.document)
                        yield Hit(f"no {key} is called {shown(one)}", where, help=did_you_mean(one, names))
