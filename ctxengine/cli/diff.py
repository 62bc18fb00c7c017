"""``ctxengine diff``: what another policy would change for the same request."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from ctxengine.cli import options
from ctxengine.cli.asked import planned, read_asked, with_model
from ctxengine.cli.output import failed, print_all, print_findings, table, write_json
from ctxengine.engine import Engine
from ctxengine.origin import Origin
from ctxengine.plan import Plan
from ctxengine.plan.explain import origin_dict, shown

if TYPE_CHECKING:
    from rich.console import RenderableType


class Said(NamedTuple):
    """One thing a plan says."""

    value: Any
    origin: Origin | None = None


Key = tuple[str, str, str]
"""Part, name and field: ``("edit", "compact_20260112", "trigger")``; the field is "" for the whole."""
PARTS = ("mode", "edit", "cache mark", "beta", "pruned", "finding")
NOTHING = Said(None)


@click.command()
@click.option(
    "--policy", "policies", required=True, multiple=True, metavar="POLICY", help="A policy file or preset; given twice."
)
@options.request
@options.model
@options.platform
@options.at
@options.printed("text", "json")
@options.strict
def command(
    policies: tuple[str, ...], request: str, model: str | None, platform: str | None,
    at: int | None, form: str, strict: bool,
) -> None:  # fmt: skip
    """Show what another policy would change for a request.

    Give --policy twice: the first is what stands now, the second what would come. Compared are edits with their
    parameters, cache marks, betas, pruning and findings.
    """
    if len(policies) != 2:
        raise click.UsageError(f"diff compares two policies, and --policy is given {len(policies)} time(s)")
    asked = with_model(read_asked(request, model=model, at=at))
    before, after = (planned(Engine.load(policy, strict=strict), asked, platform) for policy in policies)
    found = _changes(dict(_parts(before)), dict(_parts(after)))
    if form == "json":
        changes = [_change_dict(key, *pair) for key, pair in found.items()]
        findings = [finding.to_dict() for finding in after.report]
        write_json({"a": policies[0], "b": policies[1], "changes": changes, "findings": findings})
    else:
        print_all(_screen(policies, found))
        print_findings(after.report.errors, stderr=True)
    if failed(after.report, strict=strict):
        click.get_current_context().exit(1)


def _parts(plan: Plan) -> Iterator[tuple[Key, Said]]:
    yield ("mode", plan.mode, ""), Said("yes")
    for edit in plan.edits:
        yield ("edit", edit.type, ""), Said("sent", edit.origin)
        for field, value in edit.params.items():
            yield ("edit", edit.type, field), Said(value, edit.origin_of(field))
    for mark in plan.breakpoints:
        yield ("cache mark", mark.place, ""), Said(f"{mark.at.path}, {mark.ttl}", mark.origin)
    for beta in plan.betas:
        yield ("beta", beta.name, ""), Said("sent", beta.origin)
    if plan.pruned:
        yield ("pruned", "messages", ""), Said(plan.pruned.messages)
        yield ("pruned", "blocks", ""), Said(plan.pruned.blocks)
    for finding in plan.report:
        yield ("finding", finding.rule, finding.where.path), Said(finding.severity)


def _changes(before: Mapping[Key, Said], after: Mapping[Key, Said]) -> dict[Key, tuple[Said, Said]]:
    names = list(dict.fromkeys(name for _, name, _ in (*before, *after)))
    keys = sorted({**before, **after}, key=lambda key: (PARTS.index(key[0]), names.index(key[1])))
    pairs = {key: (before.get(key, NOTHING), after.get(key, NOTHING)) for key in keys}
    return {key: (a, b) for key, (a, b) in pairs.items() if a.value != b.value}


def _change_dict(key: Key, a: Said, b: Said) -> dict[str, Any]:
    part, name, field = key
    return {"part": part, "name": name, "field": field or None, "a": _said_dict(a), "b": _said_dict(b)}


def _said_dict(said: Said) -> dict[str, Any] | None:
    if said is NOTHING:
        return None
    return {"value": said.value, "origin": origin_dict(said.origin) if said.origin else None}


def _screen(policies: tuple[str, ...], changes: Mapping[Key, tuple[Said, Said]]) -> Iterator[RenderableType]:
    from rich.text import Text

    if not changes:
        yield "No difference: both policies make the same of this request."
        return
    made = table("", *policies)
    heading = ""
    for (part, name, field), (a, b) in changes.items():
        title, label = (name, field or "the edit") if part == "edit" else (part, f"{name} {field}".strip())
        if title != heading:
            made.add_row(Text(title, style="bold"))
            heading = title
        made.add_row(Text(f"  {label}"), Text(_text(a), style="red"), Text(_text(b), style="green"))
    yield made


def _text(said: Said) -> str:
    return "-" if said is NOTHING else shown(said.value)
