"""The docs as scripts: each page is played in a folder of its own, and what it shows is what came out.

    python -m tests.pages        writes the real output into README.md and docs/

In a ``console`` block each line ``$ ctxengine …`` is run, ``| head -N`` too; what follows it is its output. A
``python`` block is run, and a ``text`` block right after it is its output. ``json NAME`` is a file of that name;
``json policy`` and ``json policy NAME`` are policies, which must load. Lines of a ``sh`` block that begin with
``ctxengine`` must succeed.
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import shlex
import shutil
import tempfile
from collections.abc import Iterator
from functools import partial
from itertools import takewhile
from pathlib import Path
from typing import Any
from unittest.mock import patch

import anthropic
from click.testing import CliRunner

from ctxengine import Engine
from ctxengine.cli.group import cli
from tests.sdk_clients import HTTP

ROOT = Path(__file__).resolve().parents[1]
PAGES = (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))
PLAYED_ELSEWHERE = {"plugins.md": ("python",)}
"""The plugin manual's blocks make up one module, which has its own test."""
BLOCK = re.compile(r"^```(\w+)(?: ([^\n]*))?\n(.*?)^```$(?:\n\n```text\n(.*?)^```$)?", re.MULTILINE | re.DOTALL)
HEAD = re.compile(r"(.*) \| head -(\d+)")
ENVIRONMENT = {"COLUMNS": "80", "NO_COLOR": "1", "CTXENGINE_DISABLE_PLUGINS": "1"}


def played(page: Path) -> str:
    """The page's text with the output that its blocks really have."""
    text = page.read_text(encoding="utf-8")
    with _stage():
        namespace: dict[str, Any] = {}
        return BLOCK.sub(lambda block: _played(block, namespace, PLAYED_ELSEWHERE.get(page.name, ())), text)


@contextlib.contextmanager
def _stage() -> Iterator[None]:
    """A folder with the examples, 80 columns, no installed plugin, and a client that reaches no network."""
    client = partial(anthropic.Anthropic, api_key="offline", http_client=HTTP)
    with (
        tempfile.TemporaryDirectory() as folder,
        patch.dict(os.environ, ENVIRONMENT),
        patch.object(anthropic, "Anthropic", client),
    ):
        for name in ("CTXENGINE_MODE", "CTXENGINE_DEBUG", "FORCE_COLOR"):
            os.environ.pop(name, None)
        shutil.copytree(ROOT / "examples", Path(folder) / "examples")
        with contextlib.chdir(folder):
            yield


def _played(block: re.Match[str], namespace: dict[str, Any], skipped: tuple[str, ...]) -> str:
    language, words, body, output = block.groups()
    if language in skipped:
        return block[0]
    if language == "console":
        return block[0].replace(body, _console(body), 1)
    if language == "sh":
        for line in filter(re.compile("ctxengine ").match, body.splitlines()):
            code, output = _run(line)
            assert code == 0, (line, output)
    if language == "json" and words:
        _write(words.split(), body)
    if language == "python":
        said = _python(body, namespace)
        if output is not None:
            return block[0].replace(f"```text\n{output}```", f"```text\n{said}```")
    return block[0]


def _console(body: str) -> str:
    commands = re.findall(r"^\$ (.+)$", body, re.MULTILINE)
    return "".join("\n".join([f"$ {command}", *_run(command)[1], ""]) for command in commands)


def _run(command: str) -> tuple[int, list[str]]:
    """Exit code and lines of a command line, which may set variables first and be cut by ``head``."""
    cut = HEAD.fullmatch(command)
    words = shlex.split(cut[1] if cut else command)
    variables = dict(word.split("=", 1) for word in takewhile(lambda word: word != "ctxengine", words))
    result = CliRunner().invoke(cli, words[len(variables) + 1 :], env=variables, prog_name="ctxengine")
    lines = [line.rstrip() for line in result.output.splitlines()]
    return result.exit_code, lines[: int(cut[2])] if cut else lines


def _write(words: list[str], body: str) -> None:
    name = words[-1] if "." in words[-1] else "block.json"
    Path(name).write_text(body, encoding="utf-8")
    if words[0] == "policy":
        Engine.load(name)


def _python(code: str, namespace: dict[str, Any]) -> str:
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        exec(code, namespace)
    return said.getvalue()


if __name__ == "__main__":
    for page in PAGES:
        page.write_text(played(page), encoding="utf-8")
