"""Pass ``resolve_values``: window fractions and break-even amounts become numbers, policy keys become wire fields."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, TypeGuard, get_args

from ctxengine.catalog.facts import EditFact, ModelFact
from ctxengine.edits import AS_COMPACTION
from ctxengine.findings import Finding, Severity
from ctxengine.plan.inputs import CompileInput
from ctxengine.plan.plan import Plan, PlannedEdit
from ctxengine.policy import Resolved
from ctxengine.policy.document import CompactionMode
from ctxengine.target import Target

DEFAULT_MODE: CompactionMode = "auto"
EDIT_MODES: tuple[CompactionMode, ...] = ("threshold", DEFAULT_MODE)
"""Compaction modes that a stateless build can serve, by rendering the edit."""
SESSION_MODES = tuple(mode for mode in get_args(CompactionMode) if mode not in (*EDIT_MODES, "off"))
"""Compaction modes that a session acts on."""


SESSION_ONLY = "compaction-needs-session"
LARGEST = 10**15
"""Beyond this nothing is counted in tokens or requests, and floating point would lose the units."""


def resolve_values(plan: Plan, given: CompileInput) -> Plan:
    """The policy's edits and compaction as wire edits with plain numbers."""
    values = Values(plan.policy, given)
    edits = [values.edit(type_, fields) for type_, fields in plan.policy.get("edits", {}).items()]
    edits += values.compaction()
    values.say_what_waits()
    return replace(plan, edits=tuple(edits), report=plan.report.plus(values.findings))


class Values:
    """Numbers for one policy and target; what there is to say about them gathers in ``findings``."""

    def __init__(self, policy: Resolved, given: CompileInput) -> None:
        self.policy = policy
        self.given = given
        self.findings: list[Finding] = []

    def edit(self, type_: str, fields: Mapping[str, Any]) -> PlannedEdit:
        base = f"edits.{type_}"
        params = dict(fields)
        trigger = self.trigger(params.pop("trigger", None), f"{base}.trigger")
        freed = self._clear_at_least(params.pop("clear_at_least", None), type_, trigger)
        params |= {"trigger": trigger} if trigger is not None else {}
        params |= {"clear_at_least": freed} if freed is not None else {}
        origins = {key: self.policy.origin(f"{base}.{key}") for key in fields}
        return PlannedEdit(type_, params, {"": self.policy.origin(base), **origins})

    def compaction(self) -> Iterator[PlannedEdit]:
        wanted = self.policy.get("compaction")
        mode = (wanted or {}).get("mode", DEFAULT_MODE)
        if wanted is None or mode == "off":
            return
        fact = self.given.catalog.compaction_edit
        why = obstacle(fact, self.given.target)
        if mode not in EDIT_MODES:
            self._needs_session("compaction.mode", f'compaction.mode "{mode}" acts between requests')
        elif mode == "auto" and why is not None:
            self._say(
                SESSION_ONLY,
                "info",
                "compaction.mode",
                f"nothing compacts this conversation, which can so fill its window: {fact.type} cannot be used, {why}",
                "clear tool results well below the window, or use a model and platform that compact",
            )
        else:
            if "keep_recent" in wanted:
                self._needs_session("compaction.keep_recent", "compaction.keep_recent acts between requests")
            params = self.compaction_params(wanted, raise_any=mode == "auto")
            origins = {
                wire: self.policy.origin(f"compaction.{key}") for wire, key in AS_COMPACTION.items() if key in wanted
            }
            yield PlannedEdit(
                fact.type, params, {"": self.policy.origin("compaction"), **origins}, f"compaction.mode {mode}"
            )

    def compaction_params(self, wanted: Mapping[str, Any], *, raise_any: bool) -> dict[str, Any]:
        """Wire fields of the compaction edit; a relative trigger below the API's minimum is raised, or any if told."""
        params = {wire: wanted[key] for wire, key in AS_COMPACTION.items() if key in wanted}
        asked = params.pop("trigger", None)
        trigger = self.trigger(asked, "compaction.trigger")
        if trigger is not None:
            params["trigger"] = self._raised(trigger) if raise_any or trigger is not asked else trigger
        return params

    def trigger(self, trigger: Any, path: str) -> Any:
        """A window fraction as input tokens; anything else as it is."""
        if not is_amount(trigger, "window_fraction", "value"):
            return trigger
        window = self.given.target.window
        ceiling = trigger["at_most"] if isinstance(trigger.get("at_most"), int) else None
        if window is not None:
            share = min(max(trigger["value"], 0), 1)  # beyond that, policy-range has said so
            value = math.floor(round(share * window, 6))
            return {"type": "input_tokens", "value": value if ceiling is None else min(value, ceiling)}
        used = "the API's default" if ceiling is None else f"at_most ({ceiling:,} tokens)"
        self._say(
            "window-unknown",
            "warning",
            path,
            f"the context window of {self.given.target.model} is unknown; {used} is used in place of a fraction of it",
            "add the model to a catalog overlay, or write an input_tokens trigger",
        )
        return None if ceiling is None else {"type": "input_tokens", "value": ceiling}

    def _raised(self, trigger: Any) -> Any:
        least = self.given.catalog.limit(f"{self.given.catalog.compaction_edit.type}.trigger").at_least
        if least is None or not is_amount(trigger, "input_tokens", "value") or trigger["value"] >= least:
            return trigger
        self._say(
            "edit-compact-raised",
            "info",
            "compaction.trigger",
            f"the compaction trigger comes to {trigger['value']:,} tokens; the API's minimum, {int(least):,}, is used",
            "raise the trigger to say so yourself",
        )
        return {**trigger, "value": int(least)}

    def _clear_at_least(self, wanted: Any, type_: str, trigger: Any) -> Any:
        if not isinstance(wanted, Mapping) or wanted.get("type") != "break_even":
            return wanted
        fact = self.given.catalog.edits.get(type_)
        effective = fact.effective({"trigger": trigger}, "trigger") if fact else trigger
        multipliers = cache_multipliers(self.given.target.facts, self.policy.get("cache.ttl.last_message", "5m"))
        if not is_amount(effective, "input_tokens", "value"):
            why = "a break-even amount is a share of an input_tokens trigger, which this edit does not have"
        elif multipliers is None:
            why = f"the cache prices of {self.given.target.model} are unknown, so there is no break-even amount"
        elif is_number(wanted.get("requests")) and wanted["requests"] > 0:
            return {"type": "input_tokens", "value": break_even(effective["value"], wanted["requests"], *multipliers)}
        else:
            why = "a break-even amount needs a plausible number of requests to pay off in"
        remedy = "write clear_at_least as input_tokens, or give the edit an input_tokens trigger"
        self._say(
            "edit-break-even", "warning", f"edits.{type_}.clear_at_least", f"{why}; clear_at_least is left out", remedy
        )
        return None

    def say_what_waits(self) -> None:
        """Sections that count over a whole conversation are read, and a single build acts on none of them."""
        for section in ("budget", "guard", "checkpoint"):
            if self.policy.get(section):
                self._say(
                    "section-needs-session",
                    "info",
                    section,
                    f"{section} is about a whole conversation, of which build sees one request: nothing acts on it",
                    "count in your own loop meanwhile",
                )

    def _needs_session(self, path: str, why: str) -> None:
        self._say(
            SESSION_ONLY,
            "info",
            path,
            f"{why}, of which build sees one: nothing is sent for it",
            "use threshold or auto",
        )

    def _say(self, rule: str, severity: Severity, path: str, message: str, remedy: str) -> None:
        self.findings.append(Finding(rule, severity, message, remedy, self.policy.origin(path).place))


def is_amount(value: Any, kind: str, number: str) -> TypeGuard[Mapping[str, Any]]:
    """Whether a value is an amount of a kind. A request's own edits can hold anything; the rules judge what is none."""
    return isinstance(value, Mapping) and value.get("type") == kind and is_number(value.get(number))


def is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) <= LARGEST


def break_even(trigger: int, requests: int, write: float, read: float) -> int:
    """Tokens a clear must free to pay for the cache rewrite it causes within a number of later requests.

    ``ceil(T·k / (1 + k))`` with ``k = (w − r) / (r·requests)``; write and read are multiples of the input price.
    """
    cost, saved = write - read, read * requests
    if cost <= 0:
        return 0
    return math.ceil(round(trigger * cost / (cost + saved), 6))


def cache_multipliers(facts: ModelFact | None, ttl: str) -> tuple[float, float] | None:
    """Cache write and read price as multiples of the input price; ``None`` where the price is unknown."""
    if facts is None or not facts.prices or not facts.prices[0].input:
        return None
    price = facts.prices[0]
    return price.cache_write("1h" if ttl == "1h" else "5m") / price.input, price.cache_read / price.input


def obstacle(fact: EditFact, target: Target) -> str | None:
    """Why the target cannot serve an edit, or ``None``; what is unknown is no obstacle."""
    lacking = target.lacking(fact)
    if lacking:
        return f"{lacking} does not support it"
    if fact.needs_thinking and target.thinks is False:
        return "it needs thinking, which is off for this request"
    return None
