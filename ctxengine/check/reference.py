"""The rules as a page: ``docs/rules.md`` is this text, committed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby

from ctxengine.check.notices import NOTICES, Notice
from ctxengine.check.rule import Needs, Rule

JUDGED: dict[Needs, str] = {"policy": "the policy", "target": "policy and model", "request": "a request"}
HEAD = """# Rules

What `ctxengine check`, `plan` and `build` look for. *Judged from* is what must be known: the policy alone, the model
and platform too, or a whole request. A rule that rests on **sizes** never refuses a build, as sizes are estimates
unless a counter knows them. Under `mode: enforce` a request is judged as the plan sends it; under `shadow` and `off` as
it stands.

Any id may stand under `ignore` in a policy, with the reason.
"""
NOTICES_HEAD = """## Other findings

These come from loading, merging, compiling, plugins and transcripts rather than from a rule.
"""


def rules_markdown(rules: Iterable[Rule]) -> str:
    """The table of all rules, one section for each, and the findings that no rule makes."""
    ordered = sorted(rules, key=lambda rule: (rule.id, rule.estimated))
    rows = (f"| [`{rule.id}`](#{rule.id}) | {rule.severity} | {_judged(rule)} | {rule.summary} |" for rule in ordered)
    table = ("| Rule | Severity | Judged from | Fires when |", "|---|---|---|---|", *rows)
    return "\n".join((HEAD, *table, "", *_sections(ordered), NOTICES_HEAD, *_notices(NOTICES), ""))


def _judged(rule: Rule) -> str:
    return f"{JUDGED[rule.needs]}, sizes" if rule.estimated else JUDGED[rule.needs]


def _sections(rules: Iterable[Rule]) -> Iterator[str]:
    for id, group in groupby(rules, key=lambda rule: rule.id):
        same = tuple(group)
        yield f"## {id}\n"
        yield from (f"{rule.summary} *{rule.severity.capitalize()}, judged from {_judged(rule)}.*\n" for rule in same)
        yield from (f"**Instead:** {help}.\n" for help in dict.fromkeys(rule.help for rule in same))
        yield from (f"Source: {source}\n" for source in dict.fromkeys(rule.source for rule in same))


def _notices(notices: Iterable[Notice]) -> Iterator[str]:
    yield "| Finding | Severity | Comes up when |"
    yield "|---|---|---|"
    yield from (f"| `{notice.id}` | {notice.severity} | {notice.summary} |" for notice in notices)
