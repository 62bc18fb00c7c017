"""A SQLite database about Python's standard library, made from its own files."""

from __future__ import annotations

import ast
import sqlite3
from http import HTTPStatus
from pathlib import Path

PACKAGES = (
    "asyncio",
    "collections",
    "concurrent",
    "email",
    "html",
    "http",
    "importlib",
    "json",
    "logging",
    "multiprocessing",
    "unittest",
    "urllib",
    "xml",
)

SCHEMA = """
CREATE TABLE module (name TEXT PRIMARY KEY, package TEXT, lines INTEGER, docstring TEXT);
CREATE TABLE class (module TEXT, name TEXT, line INTEGER, bases TEXT);
CREATE TABLE function (
  module TEXT, name TEXT, line INTEGER, length INTEGER, arguments INTEGER, documented INTEGER, is_async INTEGER
);
CREATE TABLE import (module TEXT, imported TEXT);
CREATE TABLE http_status (code INTEGER PRIMARY KEY, name TEXT, phrase TEXT, description TEXT);
"""


def build_database(file: Path, stdlib: Path) -> None:
    """Write the database: one row per module, class, function, import, and HTTP status."""
    database = sqlite3.connect(file)
    with database:
        database.executescript(SCHEMA)
        for source in _sources(stdlib):
            _add_module(database, source.relative_to(stdlib), source.read_text(encoding="utf-8"))
        statuses = ((status.value, status.name, status.phrase, status.description) for status in HTTPStatus)
        database.executemany("INSERT INTO http_status VALUES (?, ?, ?, ?)", statuses)
    database.close()


def _sources(stdlib: Path) -> list[Path]:
    packaged = (file for package in PACKAGES for file in (stdlib / package).rglob("*.py"))
    return [*sorted(stdlib.glob("[a-z]*.py")), *sorted(file for file in packaged if "test" not in file.parts)]


def _add_module(database: sqlite3.Connection, path: Path, text: str) -> None:
    name = ".".join(path.with_suffix("").parts)
    tree = ast.parse(text)
    summary = (ast.get_docstring(tree) or "").partition("\n")[0]
    database.execute(
        "INSERT INTO module VALUES (?, ?, ?, ?)", (name, path.parts[0].removesuffix(".py"), text.count("\n"), summary)
    )
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef):
            bases = ", ".join(ast.unparse(base) for base in node.bases)
            database.execute("INSERT INTO class VALUES (?, ?, ?, ?)", (name, node.name, node.lineno, bases))
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            database.execute("INSERT INTO function VALUES (?, ?, ?, ?, ?, ?, ?)", (name, *_function(node)))
        elif isinstance(node, ast.Import | ast.ImportFrom):
            database.executemany("INSERT INTO import VALUES (?, ?)", ((name, imported) for imported in _imported(node)))


def _function(node: ast.FunctionDef | ast.AsyncFunctionDef) -> tuple[str, int, int, int, bool, bool]:
    length = (node.end_lineno or node.lineno) - node.lineno + 1
    arguments = len(node.args.posonlyargs) + len(node.args.args) + len(node.args.kwonlyargs)
    return (
        node.name,
        node.lineno,
        length,
        arguments,
        bool(ast.get_docstring(node)),
        isinstance(node, ast.AsyncFunctionDef),
    )


def _imported(node: ast.Import | ast.ImportFrom) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    return [node.module] if node.module and not node.level else []
