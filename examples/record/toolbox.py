"""The tools. They see one temporary folder, so that no path of the machine gets into a recording."""

from __future__ import annotations

import ast
import re
import shutil
import sqlite3
import subprocess
import sys
import sysconfig
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from anthropic.lib.tools import ToolError
from anthropic.tools.memory import BetaLocalFilesystemMemoryTool

from examples.record.database import build_database

STDLIB = Path(sysconfig.get_paths()["stdlib"])
SECONDS = re.compile(r"^(Ran \d+ tests?) in .*", re.MULTILINE)
"""How long the tests took differs from run to run."""


class ToolFailure(Exception):
    """A tool cannot do what it was asked; the text goes back as an error result."""


class Workspace:
    """A folder with copies of library files under ``stdlib/``; each public method is a tool."""

    def __init__(self, root: Path, files: Sequence[str]) -> None:
        self._root = root.resolve()
        for name in files:
            copy = self._root / "stdlib" / name
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(STDLIB / name, copy)

    def list_dir(self, path: str) -> str:
        folder = self._inside(path)
        return "\n".join(_listed(child) for child in sorted(folder.iterdir()))

    def read_file(self, path: str, start: int = 1, lines: int = 200) -> str:
        text = self._inside(path).read_text(encoding="utf-8").splitlines()
        if start > len(text):
            raise ToolFailure(f"{path} has {len(text)} lines; start {start} is past its end")
        return "\n".join(f"{n:>5}\t{line}" for n, line in enumerate(text[start - 1 : start - 1 + lines], start))

    def grep(self, pattern: str, path: str, context: int = 0) -> str:
        target = self._inside(path)
        files = sorted(target.rglob("*.py")) if target.is_dir() else [target]
        hits = [hit for file in files for hit in self._hits(re.compile(pattern), file, context)]
        return "\n".join(hits) or "no matches"

    def edit_file(self, path: str, old: str, new: str) -> str:
        file = self._inside(path)
        text = file.read_text(encoding="utf-8")
        if text.count(old) != 1:
            raise ToolFailure(f"old stands {text.count(old)} times in {path}; it must stand there exactly once")
        file.write_text(text.replace(old, new), encoding="utf-8")
        line = text[: text.index(old)].count("\n") + 1
        around = self.read_file(path, max(1, line - 2), new.count("\n") + 5)
        return f"{path} edited at line {line}:\n{around}"

    def outline(self, path: str) -> str:
        tree = ast.parse(self._inside(path).read_text(encoding="utf-8"))
        return "\n".join(_outline(tree, depth=0)) or "no classes or functions"

    def run_python(self, code: str) -> str:
        return self._run("-c", code) or "(no output)"

    def run_tests(self, module: str) -> str:
        return self._run("-m", "unittest", "-v", f"stdlib/test/test_{module}.py")

    def query_sqlite(self, sql: str) -> str:
        file = self._root / "stdlib.db"
        if not file.exists():
            self._root.mkdir(exist_ok=True)
            build_database(file, STDLIB)
        with sqlite3.connect(f"file:{file}?mode=ro", uri=True) as database:
            try:
                cursor = database.execute(sql)
            except sqlite3.Error as error:
                raise ToolFailure(f"sqlite: {error}") from None
            rows = [" | ".join(str(value) for value in row) for row in cursor]
        header = " | ".join(column[0] for column in cursor.description)
        return "\n".join([header, *rows, f"({len(rows)} rows)"])

    def _run(self, *arguments: str) -> str:
        command = [sys.executable, "-S", "-X", "utf8", *arguments]
        environment = {"PYTHONHASHSEED": "0", "PYTHONDONTWRITEBYTECODE": "1", "PYTHONPATH": "stdlib"}
        done = subprocess.run(
            command, cwd=self._root, env=environment, capture_output=True, text=True, timeout=60, check=False
        )
        output = (done.stdout + done.stderr).strip()
        for path, shown in ((f"{self._root}/", ""), (sys.executable, "python"), (str(STDLIB), "python")):
            output = output.replace(path, shown)
        output = SECONDS.sub(r"\1", output)
        if done.returncode:
            raise ToolFailure(f"exit code {done.returncode}\n{output}")
        return output

    def _inside(self, path: str) -> Path:
        target = (self._root / path).resolve()
        if not target.is_relative_to(self._root) or not target.exists():
            raise ToolFailure(f"{path}: no such file or folder")
        return target

    def _hits(self, pattern: re.Pattern[str], file: Path, context: int) -> Iterator[str]:
        lines = file.read_text(encoding="utf-8").splitlines()
        name = file.relative_to(self._root).as_posix()
        shown = {
            near
            for at, line in enumerate(lines)
            if pattern.search(line)
            for near in range(max(0, at - context), min(len(lines), at + context + 1))
        }
        return (f"{name}:{at + 1}: {lines[at]}" for at in sorted(shown))


class Memory:
    """The SDK's own file-backed memory tool."""

    def __init__(self, folder: Path) -> None:
        self._tool = BetaLocalFilesystemMemoryTool(str(folder))

    def memory(self, **input: Any) -> str:
        try:
            return str(self._tool.call(input))
        except ToolError as error:
            raise ToolFailure(str(error)) from None


def _listed(child: Path) -> str:
    return f"{child.name}/" if child.is_dir() else f"{child.name}\t{child.stat().st_size} bytes"


def _outline(node: ast.AST, depth: int) -> Iterator[str]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            kind = "class" if isinstance(child, ast.ClassDef) else "def"
            yield f"{'  ' * depth}{kind} {child.name} {child.lineno}-{child.end_lineno}"
            yield from _outline(child, depth + 1)


def _param(name: str, description: str, required: tuple[str, ...], **properties: str) -> dict[str, Any]:
    """A tool definition; each property is written "type: description"."""
    schema = {
        key: dict(zip(("type", "description"), text.split(": ", 1), strict=True)) for key, text in properties.items()
    }
    return {
        "name": name,
        "description": description,
        "input_schema": {"type": "object", "properties": schema, "required": list(required)},
    }


TOOL_PARAMS: dict[str, dict[str, Any]] = {
    "memory": {"type": "memory_20250818", "name": "memory"},
    "list_dir": _param("list_dir", "List a folder of the workspace.", ("path",), path="string: folder"),
    "read_file": _param(
        "read_file",
        "Read lines of a file, with line numbers.",
        ("path",),
        path="string: file",
        start="integer: first line, from 1",
        lines="integer: how many lines, 200 unless given",
    ),
    "grep": _param(
        "grep",
        "Lines of a file, or of all Python files below a folder, that match a regular expression.",
        ("pattern", "path"),
        pattern="string: Python regular expression",
        path="string: file or folder",
        context="integer: lines around each match",
    ),
    "edit_file": _param(
        "edit_file",
        "Replace one passage of a file; it must stand there exactly once.",
        ("path", "old", "new"),
        path="string: file",
        old="string: the passage",
        new="string: what replaces it",
    ),
    "outline": _param(
        "outline", "Classes and functions of a Python file with their lines.", ("path",), path="string: file"
    ),
    "run_python": _param(
        "run_python",
        "Run a Python program in the workspace; returns what it prints.",
        ("code",),
        code="string: the program",
    ),
    "run_tests": _param(
        "run_tests",
        "Run the tests of one module, and list each with its outcome.",
        ("module",),
        module="string: name of the module",
    ),
    "query_sqlite": _param(
        "query_sqlite", "Run one read-only query against stdlib.db.", ("sql",), sql="string: SQLite SQL"
    ),
    "find_orders": _param("find_orders", "A customer's orders.", ("customer",), customer="string: like C-1042"),
    "get_order": _param("get_order", "One order with its items.", ("order",), order="string: like B-20417"),
    "track": _param("track", "Where a parcel has been.", ("order",), order="string: like B-20417"),
    "start_return": _param(
        "start_return",
        "Open a return for one item of an order.",
        ("order", "item"),
        order="string: like B-20417",
        item="string: name of the item, as the order has it",
    ),
    "add_note": _param(
        "add_note",
        "Leave a note on a customer for colleagues.",
        ("customer", "note"),
        customer="string: like C-1042",
        note="string: one sentence",
    ),
}
