"""The commands, by cases: ``cases/*.json`` hold files, arguments, and what must come out.

A case has a ``name``, ``args``, the exit ``code`` (0 where not given) and, as needed, ``files`` (JSON, or text as a
string; ``null`` makes a folder), ``stdin``, texts that must stand in ``stdout`` and ``stderr``, ``nowhere`` (texts that
must not), and ``json``: dotted paths into stdout's JSON with their values. ``{"$repeat": [value, n]}`` stands for a
string or list n times, ``{"$bytes": "ff00"}`` for bytes. The word PRIVATE stands for what users write: no message
quotes it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import reduce
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from ctxengine.cli.group import cli


def _expand(item: dict[str, Any]) -> Any:
    if "$repeat" in item:
        value, times = item["$repeat"]
        return value * times
    return bytes.fromhex(item["$bytes"]) if "$bytes" in item else item


FILES = sorted((Path(__file__).parent / "cases").glob("*.json"))
CASES = [(file.stem, case) for file in FILES for case in json.loads(file.read_text(), object_hook=_expand)]


def _write(files: Mapping[str, Any]) -> None:
    for name, content in files.items():
        path = Path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        if content is None:
            path.mkdir()
        elif isinstance(content, bytes):
            path.write_bytes(content)
        else:
            path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")


def _dig(value: Any, path: str) -> Any:
    return reduce(lambda inner, key: inner[int(key) if isinstance(inner, list) else key], path.split("."), value)


def _flat(text: str) -> str:
    return " ".join(text.split())


@pytest.mark.parametrize(("topic", "case"), CASES, ids=[f"{topic}: {case['name']}" for topic, case in CASES])
def test_case(topic: str, case: Mapping[str, Any]) -> None:
    """The command prints what the case says, where it says, and exits as it says."""
    _write(case.get("files", {}))
    result = CliRunner().invoke(cli, case["args"], input=case.get("stdin"))
    assert result.exit_code == case.get("code", 0), result.output
    assert result.exception is None or isinstance(result.exception, SystemExit)
    stdout, stderr = _flat(result.stdout), _flat(result.stderr)
    assert [text for text in case.get("stdout", ()) if text not in stdout] == [], stdout
    assert [text for text in case.get("stderr", ()) if text not in stderr] == [], stderr
    unwanted = ("Traceback", *case.get("nowhere", ()), *(("PRIVATE",) if result.exit_code else ()))
    assert [text for text in unwanted if text in stdout + stderr] == [], stdout + stderr
    for path, value in case.get("json", {}).items():
        assert _dig(json.loads(result.stdout), path) == value, path


def test_an_error_without_a_place_of_its_own_names_the_file(tmp_path: Path) -> None:
    """What holds for a request as a whole is told with the file that the request is in."""
    nested: dict[str, Any] = {}
    for _ in range(600):
        nested = {"a": nested}
    use = {"type": "tool_use", "id": "t", "name": "read", "input": nested}
    request = {"model": "claude-opus-4-6", "max_tokens": 9, "messages": [{"role": "assistant", "content": [use]}]}
    (tmp_path / "deep.json").write_text(json.dumps(request))
    result = CliRunner().invoke(cli, ["explain", "--policy", "ctxengine:minimal", "--request", "deep.json"])
    assert (result.exit_code, "deep.json:1:1" in result.stderr) == (2, True), result.stderr


def test_names_are_unique() -> None:
    """A case is found by its name."""
    names = [(topic, case["name"]) for topic, case in CASES]
    assert len(names) == len(set(names))
