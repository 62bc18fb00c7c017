"""What reaches the screen: JSON exactly as it is, text in the width of the terminal, findings in either."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

from ctxengine.errors import MalformedInput
from ctxengine.findings import Finding, Place, Severity

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, RenderableType
    from rich.segment import Segment
    from rich.table import Table

STYLES: dict[Severity, str] = {"error": "bold red", "warning": "yellow", "info": "cyan"}
NOUNS: dict[Severity, str] = {"error": "error", "warning": "warning", "info": "note"}
GITHUB: dict[Severity, str] = {"error": "error", "warning": "warning", "info": "notice"}
CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]")
REPLACED = "\N{REPLACEMENT CHARACTER}"
LATE_CONTROL = re.compile(r"[\x7f-\x9f]")
"""Those that json leaves as they are."""
BEGUN = "ctxengine.begun"
"""Whether JSON has begun on stdout, where nothing else can stand then."""
GAP = 2
"""Blanks between the columns of a table."""
WORD = 14
"""Letters of a word that a column does not break, enough for any number."""


def write_json(value: Any) -> None:
    """JSON on stdout, in UTF-8 whatever the terminal speaks."""
    click.echo(_json(value, indent=2))


class JsonStream:
    """A JSON object on stdout whose first value is a list that is written as its items come, and not kept."""

    def __init__(self, name: str) -> None:
        self._before = f'{{\n  "{name}": [\n    '.encode()
        self._empty = True

    def add(self, items: Iterable[Any]) -> None:
        parts: list[bytes] = []
        for item in items:
            parts += self._before, _json(item)
            self._before, self._empty = b",\n    ", False
        if parts:
            click.get_current_context().meta[BEGUN] = True
        click.echo(b"".join(parts), nl=False)

    def end(self, others: Mapping[str, Any]) -> None:
        """The rest of the object."""
        begun = self._before if self._empty else b""
        click.echo(begun + b"\n  ],\n" + _json(others, indent=2).removeprefix(b"{\n"))


def _json(value: Any, indent: int | None = None) -> bytes:
    text = json.dumps(value, indent=indent, ensure_ascii=False, default=dict)
    return LATE_CONTROL.sub(lambda found: f"\\u{ord(found[0]):04x}", text).encode("utf-8", "backslashreplace")


def print_all(parts: Iterable[RenderableType], *, stderr: bool = False) -> None:
    """Text for people, 80 columns wide where there is no terminal; colour where the terminal and NO_COLOR allow."""
    from rich.console import Console
    from rich.text import Text

    screen = Console(stderr=stderr, highlight=False, markup=False, emoji=False)
    for part in parts:
        screen.print(_Plain(part), soft_wrap=isinstance(part, Text) and bool(part.no_wrap))


@dataclass
class _Plain:
    """What is printed, without characters that steer a terminal, as names may come from strangers' files, and without
    the blanks that fill a line."""

    inner: RenderableType

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[Segment]:
        from rich.segment import Segment

        for line in Segment.split_lines(console.render(self.inner, options)):
            parts = [
                segment if segment.control else Segment(CONTROL.sub(REPLACED, segment.text), segment.style)
                for segment in line
            ]
            while parts and not parts[-1].control and not parts[-1].text.strip(" "):
                parts.pop()
            if parts and not parts[-1].control:
                parts[-1] = Segment(parts[-1].text.rstrip(" "), parts[-1].style)
            yield from parts
            yield Segment.line()


def print_findings(findings: Iterable[Finding], *, stderr: bool = False) -> None:
    print_all(finding_lines(findings), stderr=stderr)


def note(text: str) -> None:
    """A word beside the result, on stderr."""
    click.echo(f"note: {CONTROL.sub(REPLACED, text)}", err=True)


def table(*columns: str, title: str | None = None) -> Table:
    """A table without lines. The first column, of names, is not broken; the others give way."""
    from rich.table import Table

    made = Table(
        title=title, title_justify="left", title_style="bold", box=None, pad_edge=False, padding=(0, GAP, 0, 0)
    )
    made.header_style = "dim"
    made.show_header = any(columns)
    for at, column in enumerate(columns):
        made.add_column(column, overflow="fold", no_wrap=at == 0)
    return made


def side_by_side(
    heads: Sequence[str],
    rows: Iterable[tuple[str, Sequence[str]]],
    title: str | None = None,
    justify: Literal["left", "right"] = "left",
) -> Iterator[Table]:
    """A column for each head, in as many tables as it takes that none of their numbers is broken; a single column that
    is wider than the screen is.

    Args:
        heads: what is compared.
        rows: a name, and a cell for each head.
    """
    from rich.console import Console

    rows = list(rows)
    room = Console().width - max((len(name) for name, _ in rows), default=0)
    columns = [(head, *(cells[at] for _, cells in rows)) for at, head in enumerate(heads)]
    least = [GAP + min(max(len(word) for cell in column for word in cell.split() or [""]), WORD) for column in columns]
    whole = [GAP + max(len(line) for cell in column for line in cell.splitlines() or [""]) for column in columns]
    start = 0
    while start < len(heads):
        end = start + 1
        while end < len(heads) and sum(least[start : end + 1]) <= room:
            end += 1
        made = table("", *heads[start:end], title=None if start else title)
        spare = max(room - sum(least[start:end]), 0) // (end - start)
        for column, width, enough in zip(made.columns[1:], least[start:end], whole[start:end], strict=True):
            column.width = min(width + spare, enough) - GAP
            column.justify = justify
        for name, cells in rows:
            made.add_row(name, *cells[start:end])
        yield made
        start = end


def finding_lines(findings: Iterable[Finding]) -> Iterator[RenderableType]:
    """Each finding as: what and where, then why, then what to do."""
    from rich.padding import Padding
    from rich.text import Text

    for finding in findings:
        where = str(finding.where)
        at = (f"  {where}", "dim") if where else ""
        # a place broken over two lines can no longer be followed by an editor or a terminal
        yield Text.assemble((finding.severity, STYLES[finding.severity]), f"[{finding.rule}]", at, no_wrap=True)
        yield Padding(Text(finding.message), (0, 0, 0, 2), expand=False)
        if finding.help:
            yield Padding(Text.assemble(("help: ", "green"), finding.help), (0, 0, 0, 2), expand=False)


def summary(findings: Iterable[Finding]) -> str:
    """How many there are of each kind, as ``1 error, 2 warnings``."""
    counts = Counter(finding.severity for finding in findings)
    said = [plural(counts[severity], noun) for severity, noun in NOUNS.items() if counts[severity]]
    return ", ".join(said) or "no findings"


def plural(count: int, noun: str) -> str:
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def github_line(finding: Finding) -> str:
    """A workflow command, which GitHub shows beside the line of the file."""
    where = finding.where
    given = {"file": where.file, "line": where.line, "col": where.column, "title": finding.rule}
    properties = ",".join(f"{name}={_property(str(value))}" for name, value in given.items() if value is not None)
    message = f"{finding.message}\nhelp: {finding.help}" if finding.help else finding.message
    return f"::{GITHUB[finding.severity]} {properties}::{_data(message)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def failed(findings: Iterable[Finding], *, strict: bool) -> bool:
    """Whether the exit code is 1."""
    bad = ("error", "warning") if strict else ("error",)
    return any(finding.severity in bad for finding in findings)


def unwritable(path: Path, error: OSError) -> MalformedInput:
    message = f"cannot write the file: {error.strerror or type(error).__name__}"
    return MalformedInput(
        Finding("usage", "error", message, "check the path and its permissions", Place(file=str(path)))
    )
