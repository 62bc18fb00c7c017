"""``ctxengine rules``: what policies and requests are judged by."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import click

from ctxengine.check import NOTICES, RULES, Rule
from ctxengine.check.notices import Notice
from ctxengine.check.reference import rules_markdown
from ctxengine.cli import options
from ctxengine.cli.output import STYLES, print_all, table, write_json
from ctxengine.engine import Engine

if TYPE_CHECKING:
    from rich.table import Table


@click.command()
@options.printed("text", "json", "markdown")
def command(form: str) -> None:
    """Show every rule that policies and requests are judged by.

    Those of plugins too. Markdown is the page of the docs: ctxengine's own rules, each with remedy and source.
    """
    rules = Engine().rules
    if form == "markdown":
        click.echo(rules_markdown(RULES), nl=False)
    elif form == "json":
        write_json({"rules": [_rule_dict(rule) for rule in rules], "notices": [notice._asdict() for notice in NOTICES]})
    else:
        _print(rules)


def _rule_dict(rule: Rule) -> dict[str, object]:
    shown = ("id", "severity", "summary", "help", "source", "needs", "estimated", "plugin")
    return {name: getattr(rule, name) for name in shown}


def _print(rules: tuple[Rule, ...]) -> None:
    ordered = sorted(rules, key=lambda rule: rule.id)
    print_all([_table("rule", ordered), "", _table("other finding", NOTICES)])


def _table(title: str, rows: Iterable[Rule | Notice]) -> Table:
    from rich.text import Text

    made = table(title, "severity", "comes up when")
    made.columns[1].no_wrap = True
    for row in rows:
        made.add_row(row.id, Text(row.severity, style=STYLES[row.severity]), row.summary)
    return made
