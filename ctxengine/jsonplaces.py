"""Where the values of a JSON text stand, line and column of a dotted path, and where what no reader takes."""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from collections.abc import Iterator, Mapping
from typing import Any

DEEPEST = 20
"""Levels down to which a place is looked for: each is read anew, and what lies deeper is given as what it lies in."""
_SPACE = re.compile(r"[ \t\n\r]*")
_DECODER = json.JSONDecoder()
_TOKEN = re.compile(r'"(?:[^"\\]|\\.?)*+(?:"|\Z)|[\[{\]}]|[^\s",:\[\]{}]+', re.DOTALL)
"""A string, a bracket, or a literal. A string that does not end goes to the end: to look for its end again from every
quote in it takes forever."""
_COLON = re.compile(r"[ \t\n\r]*:")


class Places:
    """Where everything in a text stands, found with the parser of the standard library, each level once."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._lines = [0, *(match.end() for match in re.finditer("\n", text))]
        self._known: dict[int, dict[str, tuple[int, int]]] = {}

    def find(self, path: str) -> tuple[int | None, int | None]:
        """Line and column of a dotted path, or of its nearest parent; of a member, where its key stands."""
        if not self._text:
            return None, None
        found = at = _skip(self._text, 0)
        try:
            for _ in range(DEEPEST):
                members = self._members(at)
                name = _first_of(path, members) if path else None
                if name is None:
                    break
                (found, at), path = members[name], path[len(name) + 1 :]
        except RecursionError:  # it was read with more of the stack left
            return None, None
        line = bisect_right(self._lines, found)
        return line, found - self._lines[line - 1] + 1

    def _members(self, at: int) -> dict[str, tuple[int, int]]:
        """Key or index of each member of what begins there: where the member begins, and where its value does."""
        known = self._known.get(at)
        if known is None:
            known = self._known[at] = {name: (start, value) for name, start, value in self._read(at)}
        return known

    def _read(self, at: int) -> Iterator[tuple[str, int, int]]:
        text, kind, count = self._text, self._text[at], 0
        at = _skip(text, at + 1) if kind in "{[" else len(text)
        while at < len(text) and text[at] not in "}]":
            start, name = at, str(count)
            if kind == "{":
                name, at = _DECODER.raw_decode(text, at)
                at = _skip(text, _skip(text, at) + 1)
            yield name, start, at
            at = _skip(text, _DECODER.raw_decode(text, at)[1])
            at = _skip(text, at + 1) if text[at] == "," else at
            count += 1


def deeper_than(text: str, levels: int) -> int | None:
    """The offset of the first bracket that is nested deeper."""
    depth = 0
    for token in _TOKEN.finditer(text):
        bracket = token.group()
        if bracket in "[{":
            depth += 1
            if depth > levels:
                return token.start()
        elif bracket in "]}":
            depth -= 1
    return None


def literal_at(text: str, literal: str) -> int:
    """The offset of a literal; 0 without it, as with those below."""
    return next((token.start() for token in _TOKEN.finditer(text) if token.group() == literal), 0)


def long_number_at(text: str, most: int) -> int:
    """The offset of the first whole number with more digits."""
    numbers = ((token.start(), token.group().removeprefix("-")) for token in _TOKEN.finditer(text))
    return next((at for at, digits in numbers if digits.isdigit() and len(digits) > most), 0)


def second_key_at(text: str) -> int:
    """The offset of the first key that its object has already."""
    objects: list[set[str]] = []
    for token in _TOKEN.finditer(text):
        word = token.group()
        if word in ("{", "["):
            objects.append(set())
        elif word in ("}", "]"):
            objects.pop()
        elif word[0] == '"' and _COLON.match(text, token.end()):
            key = json.loads(word)
            if key in objects[-1]:
                return token.start()
            objects[-1].add(key)
    return 0


def _first_of(path: str, members: Mapping[str, Any]) -> str | None:
    """The longest member that a path begins with; keys may have dots in them."""
    if path in members:
        return path
    dotted = [name for name in members if "." in name and path.startswith(f"{name}.")]
    head = path.partition(".")[0]
    return max(dotted, key=len) if dotted else head if head in members else None


def _skip(text: str, at: int) -> int:
    return _SPACE.match(text, at).end()  # type: ignore[union-attr]  # it matches nothing, too
