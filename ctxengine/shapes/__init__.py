"""What a request may look like, as the SDK's types have it: what does not fit is told with the path that the API gives.

Which values a field takes is all that is looked at; which fields go together is for the rules. The table is made from
the SDK by ``python -m tests.shapes.sdk``, and a test keeps them in step.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal, NamedTuple

FILE = Path(__file__).parent / "request.json"
REQUEST = "Request"
TAGS = ("type", "role")
"""Fields by which shapes are told apart; only the first is part of a path."""
MARK = "cache_control"
"""The one field of a single shape whose type the API puts into a path."""
PLAIN: Mapping[str, tuple[tuple[type, ...], str]] = {
    "any": ((str, int, float, bool, dict, list, type(None)), ""),
    "boolean": ((bool,), "a valid boolean"),
    "integer": ((int,), "a valid integer"),
    "null": ((type(None),), ""),
    "number": ((int, float), "a valid number"),
    "object": ((dict,), "a valid dictionary"),
    "string": ((str,), "a valid string"),
}
LIST, OBJECT = "a valid list", PLAIN["object"][1]


class Flaw(NamedTuple):
    """What is wrong with a value."""

    kind: Literal["extra", "missing", "tag", "type"]
    path: str = ""
    said: str = ""
    """What the value should be, for ``type``; the tag, for ``tag``."""

    @property
    def words(self) -> str:
        """In plain words, for people; the value itself is not quoted."""
        told = {"extra": "is no field that the API knows", "missing": "is missing", "tag": "is of an unknown type"}
        return f"{self.path} {told.get(self.kind) or f'should be {self.said}'}"

    def inside(self, place: str) -> Flaw:
        return self._replace(path=f"{place}.{self.path}" if self.path else place)


@dataclass(frozen=True, slots=True)
class Kind:
    """What a field may hold: any of these."""

    types: tuple[type, ...]
    words: tuple[str, ...]
    items: Kind | None
    """Of a list."""
    shapes: tuple[str, ...]
    """Names of objects."""
    expected: str

    @property
    def free(self) -> bool:
        """Whether an object may have fields that its shape does not name."""
        return dict in self.types


@dataclass(frozen=True, slots=True)
class Shape:
    """The fields of an object."""

    fields: Mapping[str, Kind]
    required: tuple[str, ...]

    def words(self, field: str) -> tuple[str, ...]:
        """What tells this shape from others, where the field does so."""
        return self.fields[field].words if field in self.fields else ()


@cache
def shapes() -> Mapping[str, Shape]:
    """Every object that a request may hold; ``Request`` is the request itself."""
    rows = json.loads(FILE.read_text(encoding="utf-8"))["shapes"]
    return {
        name: Shape({field: _kind(kind) for field, kind in row["fields"].items()}, tuple(row.get("required", ())))
        for name, row in rows.items()
    }


def request_flaw(body: Mapping[str, Any]) -> Flaw | None:
    """What is wrong inside the fields of a request; those that are null, or no field of a request, are left alone."""
    fields = shapes()[REQUEST].fields
    for name, value in body.items():
        if name in fields and value is not None and (flaw := _flaw(value, fields[name])):
            return _named(flaw, name, value)
    return None


def words_of(shape: str, field: str) -> tuple[str, ...]:
    """The words that a field may hold, or by which the objects that it may hold are told apart."""
    kind = shapes()[shape].fields[field]
    return kind.words or tuple(word for name in kind.shapes for word in shapes()[name].words(TAGS[0]))


def _flaw(value: Any, kind: Kind) -> Flaw | None:
    given = type(value)
    if given is dict and kind.shapes:
        return _object_flaw(value, kind)
    if given is list and kind.items is not None:
        for index, item in enumerate(value):
            if flaw := _flaw(item, kind.items):
                return flaw.inside(str(index))
        return None
    if given in kind.types or (kind.words and value in kind.words):
        return None
    return Flaw("type", said=kind.expected)


def _object_flaw(value: Mapping[str, Any], kind: Kind) -> Flaw | None:
    if len(kind.shapes) == 1:
        return _field_flaw(value, shapes()[kind.shapes[0]], free=kind.free)
    tag, by_word, untold = _told_apart(kind.shapes)
    word = value.get(tag)
    name = by_word.get(word) if isinstance(word, str) else untold
    if name is not None:
        flaw = _field_flaw(value, shapes()[name], free=kind.free)
        told = word if isinstance(word, str) else shapes()[name].words(tag)[0]
        return flaw.inside(told) if flaw and tag == TAGS[0] else flaw
    if tag not in value:
        return Flaw("missing", tag)
    return (
        Flaw("tag", said=word if isinstance(word, str) else type(word).__name__)
        if tag == TAGS[0]
        else Flaw("type", tag, _listed(by_word))
    )


def _field_flaw(value: Mapping[str, Any], shape: Shape, *, free: bool) -> Flaw | None:
    for field in shape.required:
        if field not in value:
            return Flaw("missing", field)
    for field, inner in value.items():
        kind = shape.fields.get(field)
        if kind is None:
            if not free:
                return Flaw("extra", field)
        elif flaw := _flaw(inner, kind):
            return _named(flaw, field, inner)
    return None


def _named(flaw: Flaw, field: str, value: Any) -> Flaw:
    """A flaw of a field's value, seen from the object that has the field."""
    typed = field == MARK and isinstance(value, Mapping) and isinstance(value.get("type"), str) and flaw.path != "type"
    return (flaw.inside(value["type"]) if typed else flaw).inside(field)


@cache
def _told_apart(names: tuple[str, ...]) -> tuple[str, Mapping[str, str], str | None]:
    """The field that tells shapes apart, which shape each of its words means, and the shape that needs no word."""
    every = [(name, shapes()[name]) for name in names]
    tag = next(tag for tag in TAGS if all(shape.words(tag) for _, shape in every))
    untold = next((name for name, shape in every if tag not in shape.required), None)
    return tag, {word: name for name, shape in every for word in shape.words(tag)}, untold


def _kind(row: Any) -> Kind:
    """From the table: a name, ``{"is": words}``, ``{"list": kind}``, or several of them."""
    rows = row if isinstance(row, list) else [row]
    plain = [each for each in rows if isinstance(each, str)]
    words = tuple(word for each in rows if not isinstance(each, str) for word in each.get("is", ()))
    items = next((each["list"] for each in rows if not isinstance(each, str) and "list" in each), None)
    named = tuple(name for name in plain if name not in PLAIN)
    types = tuple(kind for name in plain for kind in PLAIN.get(name, ((), ""))[0])
    expected = [PLAIN.get(name, ((), OBJECT))[1] for name in plain] + [LIST] * (items is not None)
    expected += [_listed(words)] if words else []
    said = " or ".join(dict.fromkeys(filter(None, expected)))
    return Kind(types, words, None if items is None else _kind(items), named, said)


def _listed(words: Iterable[str]) -> str:
    *most, last = (f"'{word}'" for word in words)
    return f"{', '.join(most)} or {last}" if most else last
