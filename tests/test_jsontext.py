"""Strict JSON: what it refuses, and that it knows where everything stands."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from json_source_map import calculate

from ctxengine.errors import MalformedInput
from ctxengine.jsontext import read_json, read_json_file

REFUSED: list[tuple[str, bytes, int | None, int | None, str]] = [
    ("empty", b"", 1, 1, "not valid JSON"),
    ("truncated", b'{"a":\n [1,', 2, 5, "not valid JSON"),
    ("a trailing comma", b'{"a": [1,\n ]}', 2, 2, "a comma with nothing behind it"),
    ("not a number", b'{"a": NaN}', 1, 7, "NaN is no JSON number"),
    ("infinity by exponent", b'{"a": 1e999}', 1, 7, "1e999 is no JSON number"),
    ("infinity in a list", b'{"a": [[], 1e999]}', 1, 12, "1e999 is no JSON number"),
    ("a key twice", b'{"a": 1,\n "a": 2}', 2, 2, "stands twice"),
    ("a key twice, and in another object too", b'{"x": {"a": 1},\n"a": 1,\n"a": 2}', 3, 1, "stands twice"),
    ("a key twice, once escaped", b'{"a": 1,\n"\\u0061": 2}', 2, 1, "stands twice"),
    ("not a number behind a text of that name", b'{"s": "NaN",\n"a": NaN}', 2, 6, "NaN is no JSON number"),
    ("not UTF-8", b'{\n"a": "\xff"}', 2, 7, "not UTF-8"),
    ("not UTF-8, behind a mark of byte order", b'\xef\xbb\xbf{\n"\xff": 1}', 2, 2, "not UTF-8"),
    ("not UTF-8, behind letters of two bytes", '{"\u00e9\u00e9": "'.encode() + b'\xff"}', 1, 9, "not UTF-8"),
    ("half a surrogate pair", b'{"a": {"b": "\\ud800"}}', 1, 8, "surrogate"),
    ("half a surrogate pair in a key", b'{"a": {"\\ud800": 1}}', 1, 2, "surrogate"),
    ("too deep", b"[" * 65 + b"]" * 65, 1, 65, "deeper than 64"),
    ("a number of 5,000 digits", b"[1,\n " + b"1" * 5000 + b"]", 2, 2, "too long"),
    ("behind a long fraction", b"[0." + b"1" * 6000 + b",\n" + b"1" * 5000 + b"]", 2, 1, "too long"),
]


@pytest.mark.parametrize(
    ("data", "line", "column", "said"), [case[1:] for case in REFUSED], ids=[case[0] for case in REFUSED]
)
def test_refuses(data: bytes, line: int | None, column: int | None, said: str) -> None:
    """What is no strict JSON is refused with its line and column."""
    with pytest.raises(MalformedInput) as caught:
        read_json(data, "x.json", rule="policy-schema", max_depth=64)
    (finding,) = caught.value.findings
    assert (finding.where.file, finding.where.line, finding.where.column) == ("x.json", line, column)
    assert said in finding.message
    assert finding.help


def test_refuses_endless_nesting_without_a_limit() -> None:
    """Nesting that the parser cannot hold is one finding also where no depth is given."""
    with pytest.raises(MalformedInput, match=r"x.json:1:901: .* nested deeper than 900 levels"):
        read_json(b"[" * 100_000, "x.json", rule="request-shape")


def test_refuses_large_files_unread(tmp_path: Path) -> None:
    """A file over the cap is refused by its size, and the cap is said."""
    path = tmp_path / "large.json"
    path.write_bytes(b" " * 2000)
    with pytest.raises(MalformedInput, match=r"2,000 bytes, more than the 1,000"):
        read_json_file(path, rule="policy-schema", max_bytes=1000)


@pytest.mark.parametrize("name", ["missing.json", "."])
def test_unreadable(tmp_path: Path, name: str) -> None:
    """A path that is no readable file is a finding like any other."""
    with pytest.raises(MalformedInput, match="cannot read the file"):
        read_json_file(tmp_path / name, rule="policy-schema")


def test_places() -> None:
    """A path is found with its line and column, a missing one at its nearest parent, keys with dots included."""
    document = read_json(b'{\n "a.b": [1,\n  {"c": 2}]}', "x.json", rule="r")
    assert [(at.line, at.column) for at in map(document.place, ["", "a.b", "a.b.1.c", "a.b.1.d", "z"])] == [
        (1, 1),
        (2, 2),
        (3, 4),
        (3, 3),
        (1, 1),
    ]


@settings(deadline=None)
@given(st.binary(max_size=60))
def test_never_crashes(data: bytes) -> None:
    """Any bytes are read, or refused with a finding: nothing else is ever raised."""
    with suppress(MalformedInput):
        read_json(data, "x.json", rule="r", max_depth=8)


_JSON: Any = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


@settings(deadline=None)
@given(_JSON, st.booleans())
def test_reads_what_json_writes(value: Any, ascii_alone: bool) -> None:
    """Every value the standard library writes is read back as it was, numbers of the same kind."""
    text = json.dumps(value, ensure_ascii=ascii_alone)
    assert repr(read_json(text, "x.json", rule="r").value) == repr(json.loads(text))


@settings(deadline=None)
@given(
    _JSON,
    st.integers(0, 100),
    st.integers(0, 3),
    st.sampled_from(["", *'{}[]",:\\/.-+eE0u\n \x00\xa0', "NaN", "1e999"]),
)
def test_takes_no_more_than_json(value: Any, at: int, without: int, instead: str) -> None:
    """Of a text that somebody spoilt, what is taken is what the standard library makes of it."""
    text = json.dumps(value)
    spoilt = text[:at] + instead + text[at + without :]
    with suppress(MalformedInput):
        read = read_json(spoilt, "x.json", rule="r").value
        assert repr(read) == repr(json.loads(spoilt))
        json.dumps(read, allow_nan=False)


def test_takes_all_that_is_json() -> None:
    """Deep nesting and a mark of byte order, which the quicker parser refuses, are read all the same."""
    assert read_json(b"[" * 500 + b"]" * 500, "x.json", rule="r").value == json.loads("[" * 500 + "]" * 500)
    assert read_json(b"\xef\xbb\xbf[1]", "x.json", rule="r").value == [1]


_PLAIN_KEYS: Any = st.recursive(
    st.none() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text("ab0é ", min_size=1), inner, max_size=4),
    max_leaves=12,
)
"""json-source-map leaves escapes and slashes in its pointers."""


@settings(deadline=None)
@given(_PLAIN_KEYS, st.sampled_from([None, 0, 2]))
def test_places_are_those_of_json_source_map(value: Any, indent: int | None) -> None:
    """Every path stands where another program says, however the text is laid out."""
    text = json.dumps(value, indent=indent, ensure_ascii=False)
    document = read_json(text, "x.json", rule="r")
    for pointer, entry in calculate(text).items():
        at, start = document.place(pointer[1:].replace("/", ".")), entry.key_start or entry.value_start
        assert (at.line, at.column) == (start.line + 1, start.column + 1)


def test_places_in_a_large_text() -> None:
    """A place in megabytes of text is known, and looking for many of them reads the text once."""
    text = json.dumps({"messages": [{"content": "x" * 1000} for _ in range(5000)]}, indent=0)
    document = read_json(text, "x.json", rule="r")
    lines = [document.place(f"messages.{index}.content").line for index in range(5000)]
    assert lines == [4 + 3 * index for index in range(5000)]


def test_places_of_odd_keys_and_deep_values_take_no_time() -> None:
    """A key of dots is found at once, and what lies very deep is given as what it lies in."""
    document = read_json(
        json.dumps({"." * 50_000: {"x": 1}, "a": {"x": 1}, "a.b": {"c": 2}}, indent=0), "x.json", rule="r"
    )
    assert [document.place(path).line for path in ("." * 50_000 + ".x", "a.b", "a.b.c", "a.x")] == [3, 8, 9, 6]
    deep = read_json("[" * 300 + "\n" + "]" * 300, "x.json", rule="r")
    assert deep.place(".".join("0" * 299)).line == 1
