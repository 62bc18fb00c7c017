"""The verdicts of one policy for all models and platforms, as a table, and what they rest on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product
from typing import TYPE_CHECKING

from ctxengine.cli.output import STYLES, finding_lines, table
from ctxengine.cli.verdict import Verdict
from ctxengine.findings import Finding

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table

WORDS = {"error": "error", "warning": "warn", "ok": "ok"}
MOST_NAMED = 4


def matrix(verdicts: Sequence[Verdict]) -> Iterator[RenderableType]:
    """One file's verdicts: models down, platforms across; below, each finding with the targets it is about."""
    from rich.padding import Padding
    from rich.text import Text

    yield _table(verdicts)
    yield ""
    for findings, targets in _grouped(verdicts):
        yield from finding_lines(findings[:1])
        if len(targets) < len(verdicts):
            like = "for" if len(findings) == 1 else "the like for"
            yield Padding(Text(f"{like} {_named(targets, verdicts)}", style="dim"), (0, 0, 0, 2), expand=False)


def _table(verdicts: Sequence[Verdict]) -> Table:
    from rich.text import Text

    platforms = _platforms(verdicts)
    made = table("model", *(platform.replace("_", "_\n") for platform in platforms), title=verdicts[0].file)
    found = {(each.model, each.platform): each.word for each in verdicts}
    styles = {"error": STYLES["error"], "warning": STYLES["warning"], "ok": "green"}
    for model in _models(verdicts):
        words = [found[model, platform or None] for platform in platforms]
        made.add_row(model, *(Text(WORDS[word], style=styles[word]) for word in words))
    return made


def _models(verdicts: Sequence[Verdict]) -> list[str]:
    return list(dict.fromkeys(each.model or "" for each in verdicts))


def _platforms(verdicts: Sequence[Verdict]) -> list[str]:
    return list(dict.fromkeys(each.platform or "" for each in verdicts))


def _grouped(verdicts: Sequence[Verdict]) -> list[tuple[list[Finding], list[Verdict]]]:
    """The findings of each rule and place, which differ in what they name, with the verdicts that have one."""
    groups: dict[object, tuple[dict[Finding, None], dict[Verdict, None]]] = {}
    for verdict in verdicts:
        for finding in verdict.findings:
            findings, targets = groups.setdefault((finding.rule, finding.severity, finding.where), ({}, {}))
            findings[finding] = targets[verdict] = None
    return [(list(findings), list(targets)) for findings, targets in groups.values()]


def _named(targets: Sequence[Verdict], verdicts: Sequence[Verdict]) -> str:
    models, platforms = _models(targets), _platforms(targets)
    every = len(targets) == len(list(product(models, platforms)))
    judged = _platforms(verdicts)
    on = "every platform" if platforms == judged and len(judged) > 1 else ", ".join(platforms)
    named = "every model" if models == _models(verdicts) else _listed(models)
    return f"{named} on {on}" if every else f"{named} on some of {on}"


def _listed(models: Sequence[str]) -> str:
    more = len(models) - MOST_NAMED
    return ", ".join(models) if more <= 1 else f"{', '.join(models[:MOST_NAMED])} and {more} more"
