"""Strict JSON from untrusted bytes: one reader for policies, overlays, requests and transcripts.

Refuses what ``json.loads`` lets through (duplicate keys, NaN, lone surrogates, endless nesting) and
knows line and column of every value. Errors never quote the text. jiter reads; what it does not take, the standard
library reads once more, to say where and why.
"""

from __future__ import annotations

import json
import sys
from contextlib import suppress
from dataclasses import dataclass, field
from math import isfinite
from pathlib import Path
from typing import Any, NoReturn

import jiter

from ctxengine.errors import MalformedInput
from ctxengine.findings import Finding, Place
from ctxengine.jsonplaces import Places, deeper_than, literal_at, long_number_at, second_key_at

READABLE_DEPTH = 900
"""Levels of nesting that the parser takes where its caller has not used up the stack."""
BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class JsonText:
    """A parsed document together with its text, so that a path in it can be given as line and column."""

    name: str
    value: Any
    text: str = field(repr=False)
    _places: list[Places] = field(default_factory=list, init=False, repr=False, compare=False)
    """Made when something is to be said of the text."""

    def place(self, path: str = "") -> Place:
        """The place of a dotted path; of its nearest existing parent where the path itself does not exist."""
        if not self._places:
            self._places.append(Places(self.text))
        return Place(path, self.name, *self._places[0].find(path))


def read_json_file(
    path: str | Path, *, rule: str, max_bytes: int | None = None, max_depth: int | None = None
) -> JsonText:
    """Read and parse a file; a file that cannot be read is a finding like any other.

    Args:
        rule: id under which findings are reported, such as ``policy-schema``.
        max_bytes: refuse larger files before reading them.
        max_depth: refuse deeper nesting of arrays and objects, by line and column. Without it only what the parser
            itself cannot hold is refused: counting brackets in tens of megabytes takes longer than reading them.
    """
    name = str(path)
    try:
        size = Path(path).stat().st_size
        if max_bytes is not None and size > max_bytes:
            _refuse(
                rule,
                Place(file=name),
                f"the file holds {size:,} bytes, more than the {max_bytes:,} allowed",
                "make it smaller, or split it",
            )
        data = Path(path).read_bytes()
    except OSError as error:
        _refuse(
            rule,
            Place(file=name),
            f"cannot read the file: {error.strerror or error}",
            "check the path and its permissions",
        )
    return read_json(data, name, rule=rule, max_bytes=max_bytes, max_depth=max_depth)


def read_json(
    data: bytes | str, name: str, *, rule: str, max_bytes: int | None = None, max_depth: int | None = None
) -> JsonText:
    """Parse untrusted JSON; raises ``MalformedInput`` with file, line and column, never quoting the text."""
    if max_bytes is not None and len(data) > max_bytes:
        _refuse(
            rule,
            Place(file=name),
            f"the document holds more than the {max_bytes:,} bytes allowed",
            "make it smaller, or split it",
        )
    text = data if isinstance(data, str) else _decode(data, name, rule)
    if max_depth is not None:
        _check_depth(text, name, rule, max_depth)
    return JsonText(name, _value(data, text, name, rule), text)


def _refuse(rule: str, where: Place, message: str, remedy: str) -> NoReturn:
    raise MalformedInput(Finding(rule, "error", message, remedy, where))


def _decode(data: bytes, name: str, rule: str) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        whole = data.removeprefix(BOM)  # the codec counts from behind it
        line = whole.count(b"\n", 0, error.start) + 1
        column = len(whole[whole.rfind(b"\n", 0, error.start) + 1 : error.start].decode("utf-8", "replace")) + 1
        _refuse(rule, Place(file=name, line=line, column=column), "the file is not UTF-8 text", "save it as UTF-8 JSON")


def _check_depth(text: str, name: str, rule: str, max_depth: int) -> None:
    offset = deeper_than(text, max_depth)
    if offset is not None:
        _refuse(rule, _at(text, name, offset), f"nested deeper than {max_depth} levels", "flatten the document")


def _value(data: bytes | str, text: str, name: str, rule: str) -> Any:
    given = data.encode("utf-8", "surrogatepass") if isinstance(data, str) else data
    with suppress(ValueError):
        value = jiter.from_json(given, allow_inf_nan=False, catch_duplicate_keys=True)
        if _is_finite(value):
            return value
    return _parse(text, name, rule)


def _is_finite(value: Any) -> bool:
    """Whether no number is infinite, as jiter makes those that are too large."""
    stack: list[Any] = [[value]]
    while stack:
        item = stack.pop()
        for child in item.values() if item.__class__ is dict else item:
            kind = child.__class__
            if kind is dict or kind is list:
                stack.append(child)
            elif kind is float and not isfinite(child):
                return False
    return True


def _parse(text: str, name: str, rule: str) -> Any:
    """Slower: what jiter does not take is JSON all the same (deep nesting, a byte order mark), or wrong somewhere."""
    try:
        value = json.loads(text, object_pairs_hook=_unique, parse_constant=_no_constant, parse_float=_finite)
    except json.JSONDecodeError as error:
        where = Place("", name, error.lineno, error.colno)
        if text[error.pos : error.pos + 1] in ("}", "]") and text[: error.pos].rstrip().endswith(","):
            _refuse(rule, where, "not valid JSON: a comma with nothing behind it", "take the comma out")
        if not text.strip():
            _refuse(rule, where, "not valid JSON: there is nothing in it", "write a JSON document")
        _refuse(rule, where, f"not valid JSON: {error.msg}", "correct the syntax at this place")
    except _DuplicateKey:
        where = _at(text, name, second_key_at(text))
        _refuse(rule, where, "a key stands twice in one object", "keep one of the two")
    except _NotFinite as error:
        where = _at(text, name, literal_at(text, error.literal))
        _refuse(rule, where, f"{error.literal[:20]} is no JSON number", "write a finite number")
    except RecursionError:
        _check_depth(text, name, rule, READABLE_DEPTH)
        _refuse(rule, Place(file=name), "nested too deep to be read", "flatten the document")
    except ValueError:
        where = _at(text, name, long_number_at(text, sys.get_int_max_str_digits()))
        _refuse(rule, where, "the number is too long to be read", "write an ordinary number")
    _check_surrogates(value, JsonText(name, value, text), rule)
    return value


class _DuplicateKey(Exception):
    pass


class _NotFinite(Exception):
    def __init__(self, literal: str) -> None:
        self.literal = literal


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise _DuplicateKey
    return made


def _no_constant(literal: str) -> NoReturn:
    raise _NotFinite(literal)


def _finite(literal: str) -> float:
    number = float(literal)
    if number in (float("inf"), float("-inf")):
        raise _NotFinite(literal)
    return number


def _check_surrogates(value: Any, document: JsonText, rule: str) -> None:
    for path, text in strings_of(value):
        try:
            text.encode()
        except UnicodeEncodeError:
            _refuse(
                rule,
                document.place(path),
                "the text holds half a surrogate pair, which cannot be sent as UTF-8",
                "write the whole character",
            )


def strings_of(value: Any) -> list[tuple[str, str]]:
    """Every string in a JSON value with its dotted path, keys included; iterative, so depth does not matter."""
    found: list[tuple[str, str]] = []
    stack: list[tuple[str, Any]] = [("", value)]
    while stack:
        path, item = stack.pop()
        if isinstance(item, str):
            found.append((path, item))
        elif isinstance(item, dict):
            for key, child in item.items():
                found.append((path, key))
                stack.append((f"{path}.{key}" if path else key, child))
        elif isinstance(item, list):
            stack.extend((f"{path}.{index}" if path else str(index), child) for index, child in enumerate(item))
    return found


def _at(text: str, name: str, offset: int) -> Place:
    return Place("", name, text.count("\n", 0, offset) + 1, offset - text.rfind("\n", 0, offset))
