"""A plan for people and for machines: what is sent, why, and which file and line asked for it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ctxengine.origin import Origin
from ctxengine.plan.plan import Breakpoint, Plan, PlannedEdit


def explain(plan: Plan) -> str:
    """The plan as indented text, a line for each part."""
    return "\n".join(_lines(plan))


def to_dict(plan: Plan) -> dict[str, Any]:
    """The plan as plain JSON values."""
    return {
        "mode": plan.mode,
        "model": plan.target.model,
        "platform": plan.target.platform.name,
        "thinking": plan.target.thinking,
        "edits": [_edit_dict(edit) for edit in plan.edits],
        "compaction": plan.compaction,
        "breakpoints": [_mark_dict(mark) for mark in plan.breakpoints],
        "unplaced": [{"place": item.place, "because": item.because} for item in plan.unplaced],
        "betas": [
            {"name": beta.name, "because": beta.because, "origin": origin_dict(beta.origin)} for beta in plan.betas
        ],
        "pruned": {"before": plan.pruned.first.path, "messages": plan.pruned.messages, "blocks": plan.pruned.blocks}
        if plan.pruned
        else None,
        "findings": [finding.to_dict() for finding in plan.report],
    }


def origin_dict(origin: Origin) -> dict[str, Any]:
    place = origin.place
    return {
        "source": origin.source,
        "path": origin.path,
        "file": place.file,
        "line": place.line,
        "column": place.column,
    }


def _edit_dict(edit: PlannedEdit) -> dict[str, Any]:
    origins = {field or "edit": origin_dict(origin) for field, origin in edit.origins.items()}
    return {**edit.wire(), "because": edit.because, "origins": origins}


def _mark_dict(mark: Breakpoint) -> dict[str, Any]:
    return {
        "place": mark.place,
        "path": mark.at.path,
        "ttl": mark.ttl,
        "because": mark.because,
        "origin": origin_dict(mark.origin),
    }


def _lines(plan: Plan) -> Iterator[str]:
    yield f"{plan.target.model} {circumstances(plan)}"
    yield from _section("edits", (line for edit in plan.edits for line in _edit_lines(edit)))
    yield from _section("breakpoints", (_mark_line(mark) for mark in plan.breakpoints))
    yield from _section("not placed", (f"{item.place}: {item.because}" for item in plan.unplaced))
    yield from _section("betas", (f"{beta.name}  {beta.because}  [{beta.origin}]" for beta in plan.betas))
    if plan.pruned:
        yield from _section(
            "pruned",
            [f"{plan.pruned.messages} message(s) and {plan.pruned.blocks} block(s) before {plan.pruned.first.path}"],
        )
    yield from _section("findings", (line for finding in plan.report for line in str(finding).splitlines()))


def circumstances(plan: Plan) -> str:
    """What a plan is for beside the model: ``on Claude API, thinking off, mode enforce``."""
    thinking = {True: "on", False: "off", None: "unknown"}[plan.target.thinks]
    return f"on {plan.target.platform.title}, thinking {thinking}, mode {plan.mode}"


def _section(title: str, lines: Iterator[str] | list[str]) -> Iterator[str]:
    body = list(lines)
    if body:
        yield f"{title}:"
        yield from (f"  {line}" for line in body)


def _edit_lines(edit: PlannedEdit) -> Iterator[str]:
    yield f"{edit.type}  {edit.because}  [{edit.origin}]".replace("    ", "  ")
    for field, value in edit.params.items():
        yield f"  {field} = {shown(value)}  [{edit.origin_of(field)}]"


def _mark_line(mark: Breakpoint) -> str:
    return f"{mark.place} at {mark.at.path}, ttl {mark.ttl}: {mark.because}  [{mark.origin}]"


def shown(value: Any) -> str:
    """A parameter in short: numbers with thousands, typed values as ``100,000 input_tokens``."""
    if isinstance(value, Mapping) and "value" in value:
        return f"{shown(value['value'])} {value.get('type', '')}".strip()
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, (list, tuple)):
        return ", ".join(map(shown, value)) or "none"
    if isinstance(value, Mapping):
        return str(value.get("type", "…"))
    return value if isinstance(value, str) and len(value) <= 60 else f"({len(str(value))} characters)"
