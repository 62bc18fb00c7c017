"""``ctxengine explain``: the plan for a request, on one screen."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ctxengine.check.planned import acts_above
from ctxengine.cli import options
from ctxengine.cli.asked import Asked, planned, read_asked, size_of, with_model
from ctxengine.cli.output import failed, finding_lines, plural, print_all, summary, table, write_json
from ctxengine.engine import Engine
from ctxengine.origin import Origin
from ctxengine.plan import Plan, PlannedEdit, Pruned
from ctxengine.plan.explain import circumstances, shown
from ctxengine.tokens import Estimate

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table

ORIGIN_WIDTH = 34
"""Up to which a place stands on one line, so that an editor or terminal can follow it."""
UNCHANGED = {
    "shadow": "Nothing of this is sent: mode shadow leaves the request as it is and shows what would be.",
    "off": "Mode off leaves the request as it is.",
}


@click.command()
@options.policy
@options.layers
@options.request
@options.model
@options.platform
@options.at
@options.printed("text", "json")
@options.strict
def command(
    policy: str, layers: tuple[str, ...], request: str, model: str | None, platform: str | None,
    at: int | None, form: str, strict: bool,
) -> None:  # fmt: skip
    """Show the plan for a request: what is sent, why, and who asked for it.

    Every edit, cache mark and beta stands beside the file and line that asked for it. Sizes are estimates, given with
    their error band, or exact where the conversation records what was billed.
    """
    engine = Engine.load(policy, *layers, strict=strict)
    asked = with_model(read_asked(request, model=model, at=at))
    plan = planned(engine, asked, platform)
    size = size_of(engine, asked, plan)
    if form == "json":
        window = plan.target.window
        band = {"tokens": size.tokens, "low": size.low, "high": size.high, "source": size.source, "window": window}
        write_json({**plan.to_dict(), "size": band})
    else:
        print_all(_screen(engine, asked, plan, size))
    if failed(plan.report, strict=strict):
        click.get_current_context().exit(1)


def _screen(engine: Engine, asked: Asked, plan: Plan, size: Estimate) -> Iterator[RenderableType]:
    from rich.text import Text

    yield Text.assemble((plan.target.model, "bold"), f" {circumstances(plan)}")
    yield f"{Path(asked.name).name}, {plural(len(asked.kwargs.get('messages') or ()), 'message')}"
    yield _size(plan, size)
    if plan.mode == "enforce" and any(finding.refuses for finding in plan.report):
        yield Text("build refuses this request: see the findings", style="red")
    if plan.mode in UNCHANGED:
        yield UNCHANGED[plan.mode]
    for part in (_edits(engine, plan, size), _marks(plan), _betas(plan)):
        if part.row_count:
            yield ""
            yield part
    if plan.compaction is not None:
        yield "\nThe request is a compaction request of its own: no edits are sent with it."
    if plan.pruned:
        yield f"\nPruned: {_pruned(plan.pruned)}"
    if len(plan.report):
        yield Text(f"\nFindings: {summary(plan.report)}", style="bold")
        yield from finding_lines(plan.report)
    if not (plan.edits or plan.breakpoints or plan.betas or plan.pruned or len(plan.report)):
        yield "\nNothing is added: the request goes out as it is."


def _size(plan: Plan, size: Estimate) -> str:
    exact = size.low == size.high
    low, about, high = (f"{_rounded(tokens):,}" for tokens in (size.low, size.tokens, size.high))
    tokens = f"{size.tokens:,} tokens as {size.source}" if exact else f"about {about} tokens ({low} to {high})"
    window = plan.target.window
    if not window:
        return f"{tokens}, window unknown"
    share = size.tokens / window
    return f"{tokens}, {f'{share:.0%}' if share >= 0.01 else 'less than 1%'} of the window of {window:,}"


def _rounded(tokens: int) -> int:
    """Three digits: more would claim more than an estimate knows."""
    return round(tokens, 3 - len(str(tokens)))


def _edits(engine: Engine, plan: Plan, size: Estimate) -> Table:
    made = table("", "", "asked for by", title="Edits, in the order they are sent")
    origins = [short(origin) for edit in plan.edits for origin in edit.origins.values()]
    made.columns[2].min_width = min(max(map(len, origins), default=0), ORIGIN_WIDTH)
    for edit in plan.edits:
        state = ", ".join(filter(None, (edit.because, _due(engine, edit, size))))
        made.add_row(edit.type, state, short(edit.origin), style="bold")
        for field, value in edit.params.items():
            made.add_row(f"  {field}", shown(value), short(edit.origin_of(field)))
    return made


def _due(engine: Engine, edit: PlannedEdit, size: Estimate) -> str:
    """Whether this request is large enough for the edit to act, where that hangs on its tokens."""
    trigger = acts_above(edit, engine.catalog.edits.get(edit.type))
    if trigger is None:
        return ""
    if size.high < trigger:
        return "not due yet"
    return "due now" if size.low > trigger else "may be due"


def _marks(plan: Plan) -> Table:
    asked = ", ".join(dict.fromkeys(short(mark.origin) for mark in plan.breakpoints))
    made = table("", "", "", "", title=f"Cache marks, asked for by {asked}" if asked else "Cache marks")
    for mark in plan.breakpoints:
        made.add_row(mark.place, mark.at.path, mark.ttl, mark.because)
    for item in plan.unplaced:
        made.add_row(item.place, "not placed", "", item.because, style="dim")
    return made


def _betas(plan: Plan) -> Table:
    made = table("", "", title="Betas")
    edits = [edit.origin for edit in plan.edits]
    for beta in plan.betas:
        made.add_row(beta.name, beta.because if beta.origin in edits else f"{beta.because} ({short(beta.origin)})")
    return made


def _pruned(pruned: Pruned) -> str:
    return f"{plural(pruned.messages, 'message')} and {plural(pruned.blocks, 'block')} before {pruned.first.path}"


def short(origin: Origin) -> str:
    """An origin as ``file:line``, or who it is and where in what they gave."""
    place = origin.place
    return f"{place.file}:{place.line}" if place.line else f"{place.file or origin.source} {origin.path}".strip()
