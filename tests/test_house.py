"""The laws of the house that a machine can check: floors, doors, facts in data alone, a light import."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[1] / "ctxengine"
FILES = sorted(PACKAGE.rglob("*.py"))

FLOORS = {
    "errors": 0, "findings": 0, "jsonplaces": 0, "jsontext": 0, "origin": 0, "_model": 0, "catalog": 0,
    "edits": 1, "target": 1, "conversation": 1, "tokens": 1, "request": 1, "shapes": 1,
    "policy": 2, "prefix": 2,
    "plan": 3,
    "check": 4,
    "extension": 5, "session": 5, "semantics": 5, "transcripts": 5,
    "drivers": 6, "stores": 6,
    "engine": 7,
    "emulator": 8, "simulate": 8, "gateway": 8,
    "cli": 9,
}  # fmt: skip
NEIGHBOURS = {
    "errors": {"findings"},
    "jsontext": {"errors", "findings", "jsonplaces"},
    "origin": {"findings", "jsontext"},
    "catalog": {"errors", "findings", "jsontext"},
    "edits": {"conversation"},
    "extension": {"transcripts"},
}
"""What a room may look at on its own floor, for shared value types alone."""

DOORS = {
    "anthropic": {"drivers"},
    "pluggy": {"extension"},
    "jiter": {"jsontext"},
    "jsonschema": {"policy"},
    "pydantic": {"_model", "edits", "policy"},
    "click": {"cli"},
    "rich": {"cli"},
    "joblib": {"simulate"},
    "jinja2": {"simulate"},
    "vl_convert": {"simulate"},
    "starlette": {"emulator"},
    "uvicorn": {"emulator"},
    "httpx2": {"emulator"},
}
HEAVY = ("anthropic", "pydantic", "jsonschema", "rich", "pluggy", "click")
FACT = re.compile(r"claude-[a-z]+-\d|\b[a-z]+(-[a-z]+)*-20\d\d-\d\d-\d\d\b")


def _room(file: Path) -> str:
    return file.relative_to(PACKAGE).parts[0].removesuffix(".py")


def _imports(file: Path, *, loaded: bool = False) -> Iterator[tuple[int, str]]:
    """Line and full name of every module that a file imports, wherever the import stands.

    With ``loaded``, what only type checkers read is left out.
    """
    tree = ast.parse(file.read_text(encoding="utf-8"))
    for_types = {id(node) for block in ast.walk(tree) if _is_for_types(block) for node in ast.walk(block)}
    for node in ast.walk(tree):
        if loaded and id(node) in for_types:
            continue
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{file}:{node.lineno} imports relatively; the house writes names out"
            yield node.lineno, node.module or ""
            if node.module == "ctxengine":
                yield from ((node.lineno, f"ctxengine.{alias.name}") for alias in node.names)


def _is_for_types(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"


def _rooms_seen(file: Path) -> Iterator[tuple[int, str]]:
    for line, name in _imports(file):
        if name.startswith("ctxengine."):
            yield line, name.split(".")[1]


def _texts(file: Path) -> Iterator[tuple[int, str]]:
    """Line and value of every string of the code, docstrings left out."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    spoken = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in spoken:
            yield node.lineno, node.value


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(PACKAGE)))
def test_floors_look_down(file: Path) -> None:
    """A room imports from lower floors, from itself, and from the neighbours that are listed."""
    room = _room(file)
    if room == "__init__":
        return
    assert room in FLOORS, f"{room} has no floor: give it one in FLOORS and in docs/architecture.md"
    upward = [
        f"line {line}: {seen}"
        for line, seen in _rooms_seen(file)
        if FLOORS.get(seen, -1) >= FLOORS[room] and seen not in {room, *NEIGHBOURS.get(room, ())}
    ]
    assert not upward, f"{room} (floor {FLOORS[room]}) looks up or sideways: {upward}"


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(PACKAGE)))
def test_one_door_per_dependency(file: Path) -> None:
    """A dependency is loaded in the rooms that may know it, and nowhere else."""
    strays = [
        f"line {line}: {name}"
        for line, name in _imports(file, loaded=True)
        if _room(file) not in DOORS.get(name.split(".")[0], {_room(file)})
    ]
    assert not strays


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(PACKAGE)))
def test_facts_are_data(file: Path) -> None:
    """No model id and no beta string stands in code: those are the catalog's."""
    assert not [f"line {line}: {text!r}" for line, text in _texts(file) if FACT.search(text)]


def test_neighbours_are_needed() -> None:
    """A look at a neighbour that nobody takes any more is taken off the list."""
    seen = {(_room(file), room) for file in FILES for _, room in _rooms_seen(file)}
    assert seen >= {(room, neighbour) for room, allowed in NEIGHBOURS.items() for neighbour in allowed}


def test_import_is_light() -> None:
    """``import ctxengine`` loads none of the heavy dependencies."""
    code = f"import ctxengine, sys; print(*[name for name in {HEAVY!r} if name in sys.modules])"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert loaded.stdout.split() == []
