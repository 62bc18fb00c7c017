"""Findings as the API's refusals: the rules that ``check`` uses, worded as on the wire."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from ctxengine.catalog import Catalog, WireFact
from ctxengine.check import RULES, Facts
from ctxengine.check.betas import knows_context_management
from ctxengine.check.generation import most_output
from ctxengine.check.marks import slots_of
from ctxengine.conversation import SERVER_RESULTS, blocks_of, field_of
from ctxengine.edits.shapes import OTHER_SHAPE, shape_of
from ctxengine.findings import Finding
from ctxengine.plan import CompileInput, Plan, as_it_stands
from ctxengine.plan.inputs import situation_of
from ctxengine.policy import resolve
from ctxengine.prefix import scan_request
from ctxengine.request import read_request
from ctxengine.target import target_of
from ctxengine.tokens import CalibratedCounter

BLOCK = re.compile(r"messages\.(\d+)\.content\.(\d+)")
TOOL = re.compile(r"tools\.(\d+)")
EDIT = re.compile(r"context_management\.edits\.(\d+)(?:\.(\w+))?")
UNKNOWN_PARAMETER = "beta-cm-missing"
"""The refusal of the whole field, where no beta that knows it is sent."""


@dataclass(frozen=True, slots=True)
class WireError:
    """A refusal as the API words it."""

    status: int
    type: str
    message: str
    code: str | None = None
    rule: str = ""
    wording: str = "recorded"
    """``assumed`` where nobody saw the API's own words."""
    unsupported: str = ""
    """The field that a thread's request may not have."""

    def body(self) -> dict[str, Any]:
        """The response's JSON."""
        error: dict[str, Any] = {"type": self.type, "message": self.message}
        if self.code:
            error["details"] = {"error_code": self.code}
            if self.unsupported:
                error["details"]["unsupported"] = [self.unsupported]
        return {"type": "error", "error": error}


def refusal(catalog: Catalog, id: str, /, **values: Any) -> WireError:
    """One row of the catalog's wire errors, its message filled in; what is not given stays empty."""
    row = catalog.wire_errors[id]
    said, unsupported = row.message.format_map(defaultdict(str, values)), values.get("unsupported", "")
    return WireError(row.status, row.type, said, row.code, row.id, row.wording, unsupported)


def refusals(facts: Facts) -> Iterator[WireError]:
    """What the API would say to a request, in the order of the rules; it answers with the first."""
    answered = {row.rule for row in facts.catalog.wire_errors.values()}
    for rule in RULES:
        if rule.id not in answered or rule.estimated:
            continue
        for finding in rule.findings(facts):
            # where all that a rule says is a warning to a policy's author, the API refuses all the same
            error = refusal_of(finding, facts)
            if error and (finding.severity == "error" or rule.severity != "error"):
                yield error


def refusal_of(finding: Finding, facts: Facts) -> WireError | None:
    """A finding about a request as the API words it, ``None`` where it has no words for it."""
    row = _row_for(finding, facts)
    return refusal(facts.catalog, row.id, **_values(finding, facts)) if row else None


def facts_of(
    request: Mapping[str, Any],
    catalog: Catalog,
    *,
    platform: str | None = None,
    surface: str = "create",
    today: date | None = None,
) -> Facts:
    """A request as it stands, for the rules.

    Raises:
        RequestError: it cannot be read.
    """
    read, conversation = scan_request(read_request(request))
    target = target_of(catalog, model=read.model, platform=platform, thinking=read.get("thinking"))
    counter = CalibratedCounter(catalog.tokenizers)
    given = CompileInput((), catalog, target, read, conversation, counter)
    plan = as_it_stands(Plan("off", target, resolve((), situation_of(given))), given)
    return Facts(plan, catalog, (), read, conversation, surface, counter, today or date.today())


def _row_for(finding: Finding, facts: Facts) -> WireFact | None:
    """The row whose error code the finding names, else the first for a place like its own."""
    table = facts.catalog.wire_errors
    if finding.rule == "beta-compact-missing" and not knows_context_management(facts):
        return table[UNKNOWN_PARAMETER]
    if finding.rule == "beta-unknown" and facts.target.platform.beta_travel == "body":
        return table["beta-plat"]  # Bedrock has the same words for whatever it does not know
    rows = [row for row in table.values() if row.rule == finding.rule]
    named = [row for row in rows if row.code and row.code in finding.message]
    placed = [row for row in rows if not row.at or re.fullmatch(row.at, finding.where.path)]
    return next(iter(named or placed), None)


def _values(finding: Finding, facts: Facts) -> dict[str, Any]:
    path = finding.where.path.removeprefix("extra_body.")
    target = facts.target
    values: dict[str, Any] = {"path": path, "said": finding.message}
    values |= {"model": target.asked_model, "thinking": target.thinking}
    if edit := EDIT.match(path):
        planned, field = facts.plan.edits[int(edit[1])], edit[2] or ""
        expected = shape_of(planned.params.get(field), field) or OTHER_SHAPE
        values |= {"index": edit[1], "field": field, "edit": planned.type, "expected": expected}
    if tool := TOOL.match(path):
        values |= {"index": tool[1], "tool": facts.conversation.tool_kinds[int(tool[1])][1]}
    if block := BLOCK.match(path):
        values |= {"block": block[0], "message": f"messages.{block[1]}"}
        values |= _of_block(blocks_of(facts.conversation.messages[int(block[1])])[int(block[2])])
    return values | OF_RULE[finding.rule](finding, facts) if finding.rule in OF_RULE else values


def _of_edit(finding: Finding, facts: Facts) -> dict[str, Any]:
    known = ", ".join(f"'{name}'" for name in sorted(facts.catalog.edits))
    return {"known": known, "key": finding.where.path.rpartition(".")[2]}


def _of_marks(finding: Finding, facts: Facts) -> dict[str, Any]:
    return {"slots": facts.target.platform.cache_slots, "marks": len(slots_of(facts))}


def _of_effort(finding: Finding, facts: Facts) -> dict[str, Any]:
    levels = facts.target.facts.efforts if facts.target.facts else ()
    return {"effort": field_of(facts.request.get("output_config"), "effort"), "levels": ", ".join(sorted(levels or ()))}


def _of_extra_key(finding: Finding, facts: Facts) -> dict[str, Any]:
    at = next(each for each in facts.conversation.compaction_blocks if each.at.path == finding.where.path)
    return {"key": at.extra_keys[0]}


def _of_betas(finding: Finding, facts: Facts) -> dict[str, Any]:
    return {"value": ", ".join(name for name in facts.plan.beta_names if name not in facts.catalog.betas)}


def _of_output(finding: Finding, facts: Facts) -> dict[str, Any]:
    model = facts.target.facts
    return {"max_tokens": most_output(facts)[1], "max_output": model.max_output if model else ""}


def _of_budget(finding: Finding, facts: Facts) -> dict[str, Any]:
    return {"least": int(facts.catalog.limit("thinking.budget_tokens").at_least or 0)}


def _of_choice(finding: Finding, facts: Facts) -> dict[str, Any]:
    return {"choice": field_of(facts.request.get("tool_choice"), "name")}


OF_RULE: Mapping[str, Callable[[Finding, Facts], dict[str, Any]]] = {
    "beta-unknown": _of_betas,
    "block-extra-fields": _of_extra_key,
    "cache-max4": _of_marks,
    "edit-unknown": _of_edit,
    "effort-model": _of_effort,
    "effort-thinking": _of_effort,
    "output-max": _of_output,
    "thinking-budget": _of_budget,
    "tool-choice-name": _of_choice,
}
"""What the words of one rule's refusal name beside what all do."""


def _of_block(block: Any) -> dict[str, Any]:
    """A result of the server's names its own kind, and belongs to a use anywhere before it."""
    names = {"kind": "type", "id": "tool_use_id", "use_id": "id", "name": "name"}
    values = {name: field_of(block, field) or "" for name, field in names.items()}
    if str(values["kind"]) in SERVER_RESULTS:
        return values | {"result": values["kind"], "use": "`server_tool_use` block before it"}
    return values | {"result": "tool_result", "use": "`tool_use` block in the previous message"}
