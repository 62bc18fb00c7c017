"""What the engine has to say about a policy, a request or a file, as values; and how it names what users wrote."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Literal

Severity = Literal["error", "warning", "info"]


@dataclass(frozen=True, slots=True)
class Place:
    """Where something stands: a dotted JSON path (``edits.1.trigger.value``) and, if known, file, line and column.

    Lines and columns count from 1.
    """

    path: str = ""
    file: str | None = None
    line: int | None = None
    column: int | None = None

    def __str__(self) -> str:
        at = ":".join(str(part) for part in (self.file, self.line, self.column) if part is not None)
        return f"{at} {self.path}".strip() if at else self.path


NOWHERE = Place()


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing a user should know: which rule, how bad, where, why, and what to do instead."""

    rule: str
    severity: Severity
    message: str
    help: str = ""
    where: Place = field(default=NOWHERE)
    estimated: bool = False
    """True where the finding rests on an estimated size: such a finding never refuses a build."""

    @property
    def refuses(self) -> bool:
        """Whether a request must not be built with it: an error that rests on no estimate."""
        return self.severity == "error" and not self.estimated

    def to_dict(self) -> dict[str, object]:
        """The finding as ``check --format json`` prints it."""
        return {
            "rule": self.rule,
            "severity": self.severity,
            "message": self.message,
            "help": self.help,
            "estimated": self.estimated,
            "file": self.where.file,
            "line": self.where.line,
            "column": self.where.column,
            "path": self.where.path,
        }

    def __str__(self) -> str:
        where = str(self.where)
        text = (
            f"{where}: {self.severity}[{self.rule}] {self.message}"
            if where
            else f"{self.severity}[{self.rule}] {self.message}"
        )
        return f"{text}\n  help: {self.help}" if self.help else text


@dataclass(frozen=True, slots=True)
class Report:
    """All findings of one check, in the order the rules ran."""

    findings: tuple[Finding, ...] = ()

    def of(self, severity: Severity) -> tuple[Finding, ...]:
        return tuple(finding for finding in self.findings if finding.severity == severity)

    @property
    def errors(self) -> tuple[Finding, ...]:
        return self.of("error")

    @property
    def warnings(self) -> tuple[Finding, ...]:
        return self.of("warning")

    @property
    def ok(self) -> bool:
        """True where no finding is an error."""
        return not any(finding.severity == "error" for finding in self.findings)

    def plus(self, more: Iterable[Finding]) -> Report:
        return Report((*self.findings, *more))

    def __iter__(self) -> Iterator[Finding]:
        return iter(self.findings)

    def __len__(self) -> int:
        return len(self.findings)

    def __str__(self) -> str:
        return "\n".join(str(finding) for finding in self.findings)


LETTERS = 3
"""Letters of a word up to which it stands in too many names to be a hint."""


def did_you_mean(word: str, words: Collection[str], prefix: str = "") -> str:
    """Advice for a misspelt name: the nearest that exist, else all of them, each behind the prefix that all have."""
    near = nearest(word, words)
    listed = [prefix + each for each in near or words]
    return f"did you mean {' or '.join(listed)}?" if near else f"these exist: {', '.join(listed)}"


def nearest(word: str, words: Collection[str]) -> list[str]:
    """A few that are spelt much like a word, else that hold it, where it is more than a few letters."""
    from difflib import get_close_matches  # only when something is to be said

    return (
        get_close_matches(word, list(words), 3) or [each for each in words if len(word) > LETTERS and word in each][-3:]
    )


def shown(name: str) -> str:
    """A name from what the user wrote, fit for a message."""
    return f"'{name}'" if len(name) <= 60 and name.isprintable() else "of that name"
