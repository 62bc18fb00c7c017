"""Questions to the database: the queries of each turn, and an answer made of the rows that come back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from examples.record.loop import Ask, Call, Reply, Result, Script

Rows = list[list[str]]


@dataclass(frozen=True)
class Question:
    """What the user wants to know, the queries of each turn, and the answer made of the last turn's rows."""

    ask: str
    turns: tuple[tuple[str, ...], ...]
    answer: Callable[[list[Rows]], str]
    thinking: str = ""


def go_through(questions: Sequence[Question]) -> Script:
    """Each is asked, queried for and answered; what it thinks comes with its first queries."""
    for question in questions:
        yield Ask(question.ask)
        results: list[Result] = []
        thinking = question.thinking
        for queries in question.turns:
            results = yield Reply(thinking=thinking, calls=tuple(Call("query_sqlite", {"sql": sql}) for sql in queries))
            thinking = ""
        yield Reply(question.answer([rows(result.text) for result in results]))


def rows(table: str) -> Rows:
    """The cells of what query_sqlite returned, without its header and its count."""
    return [line.split(" | ") for line in table.splitlines()[1:-1]]
