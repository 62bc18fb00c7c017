"""``ctxengine simulate``: recorded conversations under several policies, side by side."""

from __future__ import annotations

import csv
import json
import shutil
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryFile
from typing import TYPE_CHECKING, Any

import click

from ctxengine.catalog import default_catalog
from ctxengine.cli import options
from ctxengine.cli.files import ended_like_interrupted, whole_file, written
from ctxengine.cli.output import JsonStream, note, plural, print_all, print_findings
from ctxengine.cli.simulated import assumptions, comparison, row_values, turn_tables
from ctxengine.simulate import Results, Session, Simulator
from ctxengine.simulate.files import sessions
from ctxengine.simulate.simulation import ASSUMED_GAP
from ctxengine.simulate.sources import find_files
from ctxengine.simulate.summing import Said, Sums
from ctxengine.simulate.totals import BASELINE

if TYPE_CHECKING:
    from ctxengine.simulate.report import Page


LONGEST_GAP = 366 * 86_400
"""Seconds: longer than anything is cached."""


@dataclass
class Seen:
    """What is kept of the sessions that went by."""

    sums: Sums
    gap: float
    said: Said = field(default_factory=Said)
    sessions: int = 0
    longest: int = 0
    unreadable: bool = False

    def add(self, session: Session) -> None:
        self.said.add(session)
        self.unreadable = self.unreadable or any(
            not session.turns and finding.severity == "error" for finding in session.findings
        )
        self.sums.add(session)
        self.sessions += session.turns > 0
        self.longest = max(self.longest, session.turns)

    @property
    def code(self) -> int:
        """2 where a file could not be read, 1 where a policy is refused or does not fit the window, else 0."""
        if self.unreadable or not self.sessions:
            return 2
        return int(any(each["overflows"] or each["refused"] for each in self.sums.every if each["policy"] != BASELINE))


@click.command()
@click.argument("transcripts", nargs=-1, required=True, metavar="TRANSCRIPT...")
@click.option(
    "--policy", "policies", multiple=True, required=True, metavar="POLICY",
    help="A policy file or preset to compare; repeatable, each is an alternative.",
)  # fmt: skip
@click.option("--model", metavar="M", help="The model, where not the conversation's own.")
@options.platform
@options.printed("text", "json", "csv")
@click.option("--out", metavar="FILE.jsonl", help="Write every turn under every policy to this file, a line each.")
@click.option("--report", metavar="FILE.html", help="Write the comparison and its charts as one page to this file.")
@click.option("--explain", type=click.IntRange(min=1), metavar="N", help="Show turn N of each conversation.")
@click.option("--lenient", is_flag=True, help="Skip what cannot be read in a transcript, and say so.")
@click.option("--jobs", type=int, default=1, metavar="N", help="Processes for many files; -1 is one for each core.")
@click.option(
    "--gap", type=click.FloatRange(min=0), default=ASSUMED_GAP, metavar="SECONDS", show_default=True,
    help="Time between turns that have none recorded.",
)  # fmt: skip
def command(
    transcripts: tuple[str, ...], policies: tuple[str, ...], model: str | None, platform: str | None, form: str,
    out: str | None, report: str | None, explain: int | None, lenient: bool, jobs: int, gap: float,
) -> None:  # fmt: skip
    """Replay recorded conversations under several policies, and compare.

    A TRANSCRIPT is a file, a folder, or a pattern. The recorded turns stay as they were; the first column is the
    conversation without a policy. Exit codes: 1 where a policy is refused or does not fit the window, 2 where a policy
    cannot be read, or a transcript (the others are still compared).
    """
    rows = form != "text" or out is not None or report is not None or explain is not None
    files, missing = find_files(transcripts)
    if explain and form != "text":
        raise click.UsageError(f"--explain shows a turn as text; --format {form} holds every turn")
    if not gap < LONGEST_GAP:
        raise click.UsageError(f"--gap takes less than {LONGEST_GAP:,} seconds")
    if platform is not None:
        default_catalog().platform(platform)
    simulator = Simulator(policies, model, platform, lenient, rows, gap)
    paths = written({"--out": out, "--report": report}, (*files, *_policy_files(simulator)))
    seen = Seen(Sums([candidate.name for candidate in simulator.candidates]), gap)
    listed: list[Session] = []
    if missing:
        listed.append(Session("", findings=missing))
        seen.add(listed[0])
    with ExitStack() as stack:
        stack.enter_context(ended_like_interrupted())
        stream = stack.enter_context(whole_file(paths["--out"])) if out else None
        page = stack.enter_context(_page(paths["--report"], seen)) if report else None
        table = stack.enter_context(_printed_whole()) if form == "csv" else None
        listing = JsonStream("rows") if form == "json" else None
        for session in stack.enter_context(_progress(sessions(simulator, files, _jobs(jobs)), len(files))):
            if table and session.rows:
                _write_csv(table, session, first=not seen.sessions)
            seen.add(session)
            if page:
                page.add(session)
            if stream:
                stream.writelines(json.dumps(row) + "\n" for row in session.rows)
            if listing:
                listing.add(session.rows)
                listed.append(replace(session, rows=()))
            elif explain:
                print_all(turn_tables(session, explain))
        if explain and 0 < seen.longest < explain:
            raise click.UsageError(f"--explain {explain}: the longest conversation has {plural(seen.longest, 'turn')}")
    for name in filter(None, (out, report)):
        note(f"{name} is written")
    if listing:
        listing.end(_told(listed, seen.sums))
    elif form == "text" and seen.sessions:
        _print(seen)
    if form != "json":
        print_findings(seen.said, stderr=True)
    click.get_current_context().exit(seen.code)


def _jobs(jobs: int) -> int:
    if jobs == 0 or jobs < -1:
        raise click.UsageError("--jobs takes a number of processes, or -1 for one for each core")
    if jobs != 1 and find_spec("joblib") is None:
        raise click.UsageError("--jobs needs joblib: pip install 'ctxengine[simulate]'")
    return jobs


def _policy_files(simulator: Simulator) -> Iterator[str]:
    """The files of the policies, with those that they extend and name."""
    for candidate in simulator.candidates:
        for layer in candidate.engine.layers:
            yield from (document.name for document in (layer.document, layer.catalog) if document)


@contextmanager
def _page(path: Path, seen: Seen) -> Iterator[Page]:
    """A page to add sessions to, which is written once all went by."""
    if find_spec("jinja2") is None or find_spec("vl_convert") is None:
        raise click.UsageError("--report needs jinja2 and vl-convert-python: pip install 'ctxengine[report]'")
    from ctxengine.simulate.report import Page

    page = Page(seen.sums.policies)
    with whole_file(path) as file:
        yield page
        summed = seen.sums.compared
        file.write(page.html(summed, seen.said, assumptions(summed, seen.gap)))


@contextmanager
def _printed_whole() -> Iterator[Any]:
    """A CSV writer whose rows are printed once all are there: of a run that is killed, none look like all."""
    with TemporaryFile("w+", encoding="utf-8", errors="surrogatepass", newline="") as file:
        yield csv.writer(file)
        file.seek(0)
        shutil.copyfileobj(file, sys.stdout)


def _progress(made: Iterator[Session], files: int) -> Any:
    """The sessions with a bar on stderr, where there are several files and someone to watch."""
    if files > 1 and sys.stderr.isatty():
        return click.progressbar(made, label="replaying", file=sys.stderr, show_pos=True)
    return nullcontext(made)


def _print(seen: Seen) -> None:
    from rich.text import Text

    summed = seen.sums.compared
    print_all(comparison(summed))
    print_all(["", *(Text(line, style="dim") for line in assumptions(summed, seen.gap))])


def _write_csv(table: Any, session: Session, *, first: bool) -> None:
    if first:
        table.writerow(session.rows[0])
    table.writerows(row_values(row).values() for row in session.rows)


def _told(listed: list[Session], sums: Sums) -> dict[str, Any]:
    """What the JSON has beside the rows."""
    results, summed = Results(tuple(sums.policies), tuple(listed)), sums.compared
    return {
        "totals": summed.totals,
        "left_out": summed.left_out,
        "refused_there": summed.refused_there,
        "sessions": [_session(session) for session in listed if session.transcript],
        "findings": [finding.to_dict() for finding in results.findings],
    }


def _session(session: Session) -> dict[str, Any]:
    names = ("transcript", "model", "turns", "edits", "totals", "recorded_usd", "bills", "timed")
    return {name: getattr(session, name) for name in names}
