"""``ctxengine check``: what is wrong with policies, for one target or for all there are."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal

import click

from ctxengine.cli import options
from ctxengine.cli.asked import Asked, counter_of, named_model, read_asked
from ctxengine.cli.matrix import matrix
from ctxengine.cli.output import failed, github_line, note, plural, print_all, print_findings, summary, write_json
from ctxengine.cli.verdict import Verdict, distinct
from ctxengine.engine import Engine
from ctxengine.errors import MalformedInput
from ctxengine.target import NOT_THINKING, THINKING

ALL = "all"
NO_MODEL = "no model is given, so only rules that need none ran: add --model M, or --model all"


@dataclass(frozen=True, slots=True)
class Question:
    """What each file is judged for."""

    layers: tuple[str, ...]
    model: str | None
    platform: str | None
    thinking: str | None
    asked: Asked | None
    strict: bool
    today: date

    @property
    def judged(self) -> Literal["policy", "target", "request"]:
        """How far the rules reach: each includes the one before."""
        if self.model is None:
            return "policy"
        return "request" if self.asked else "target"

    @property
    def many(self) -> bool:
        return self.model is not None and ALL in (self.model, self.platform)


@click.command()
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@options.layers
@click.option(
    "--model", metavar="M|all", help="Judge for this model (default: the request's), or for all that are served."
)
@click.option(
    "--platform",
    metavar="P|all",
    help="Judge for this platform (default: the model id's, else the Claude API), or for all.",
)
@click.option(
    "--thinking",
    type=click.Choice([*THINKING, *NOT_THINKING, "default"]),
    help="The request's thinking.type; default stands for a request without thinking.",
)
@click.option(
    "--request",
    metavar="REQ.json",
    help="Judge with this request, or the last one of a recorded conversation; - reads it from stdin.",
)
@options.printed("text", "json", "github")
@options.strict
@click.option(
    "--as-of", type=click.DateTime(["%Y-%m-%d"]), metavar="DATE", help="Judge as on this day (default: today)."
)
def command(
    files: tuple[str, ...], layers: tuple[str, ...], model: str | None, platform: str | None, thinking: str | None,
    request: str | None, form: str, strict: bool, as_of: datetime | None,
) -> None:  # fmt: skip
    """Judge policies: alone, for a model and platform, or with a request.

    Each FILE is judged on its own, with the layers over it. Without a model, only rules that need none run. With
    --model all or --platform all, a matrix shows the verdict for each pair.
    """
    asked = read_asked(request, model=None if model == ALL else model) if request else None
    model = model or (named_model(asked) if asked else None)
    today = as_of.date() if as_of else date.today()
    question = Question(layers, model, platform, thinking, asked, strict, today)
    verdicts = [verdict for file in files for verdict in _verdicts(file, question)]
    if form == "json":
        write_json(_as_json(verdicts, question))
    elif form == "github":
        for finding in distinct(verdicts):
            click.echo(github_line(finding))
    else:
        _print(verdicts, question)
    if form != "json" and question.model is None and not all(each.malformed for each in verdicts):
        note(NO_MODEL)
    code = 2 if any(each.malformed for each in verdicts) else int(failed(distinct(verdicts), strict=strict))
    click.get_current_context().exit(code)


def _verdicts(file: str, question: Question) -> Iterator[Verdict]:
    """One file's verdicts, one per target; the only one of a file that cannot be read is about that."""
    try:
        engine = Engine.load(file, *question.layers, strict=question.strict)
        yield from [_verdict(file, engine, question, *target) for target in _targets(engine, question)]
    except MalformedInput as error:
        yield Verdict(file, None, None, error.findings, malformed=True)


def _targets(engine: Engine, question: Question) -> list[tuple[str | None, str | None]]:
    catalog = engine.catalog
    today = question.today.isoformat()
    served = [name for name, facts in catalog.models.items() if facts.retires is None or facts.retires > today]
    models = served if question.model == ALL else [question.model]
    platforms = list(catalog.platforms) if question.platform == ALL and question.model else [question.platform]
    return [(model, None if platform == ALL else platform) for model in models for platform in platforms]


def _verdict(file: str, engine: Engine, question: Question, model: str | None, platform: str | None) -> Verdict:
    asked, thinking, today = question.asked, question.thinking, question.today
    if asked is None:
        report = engine.check(model=model, platform=platform, thinking=thinking, today=today)
        return Verdict(file, model, platform, report.findings)
    counter = counter_of(engine, asked, model) if model else None
    with asked.named():
        report = engine.check(
            model=model, platform=platform, thinking=thinking, request=asked.kwargs, counter=counter, today=today
        )
    return Verdict(file, model, platform, (*asked.findings, *asked.placed(report.findings)))


def _as_json(verdicts: list[Verdict], question: Question) -> dict[str, Any]:
    return {
        "findings": [finding.to_dict() for finding in distinct(verdicts)],
        "verdicts": [verdict.to_dict() for verdict in verdicts],
        "judged": question.judged,
        "as_of": question.today.isoformat(),
    }


def _print(verdicts: list[Verdict], question: Question) -> None:
    unreadable = [each for each in verdicts if each.malformed]
    readable = [each for each in verdicts if not each.malformed]
    if question.many:
        for file in dict.fromkeys(each.file for each in readable):
            print_all(matrix([each for each in readable if each.file == file]))
    else:
        print_findings(distinct(readable))
    print_findings(distinct(unreadable), stderr=True)
    files = plural(len({each.file for each in verdicts}), "file")
    click.echo(f"{files}: {summary(distinct(verdicts))}")
