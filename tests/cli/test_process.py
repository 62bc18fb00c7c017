"""What only a process of its own shows: exit codes, streams, broken pipes, colour, and what is imported."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
HEAVY = ("pydantic", "jsonschema", "rich", "pluggy", "anthropic")


MAIN = "from ctxengine.cli import main; main()"


def _run(*args: str, code: str = MAIN, **env: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", code, *args]
    return subprocess.run(
        command, capture_output=True, text=True, check=False, env={**os.environ, "PYTHONPATH": str(ROOT), **env}
    )


def test_results_and_errors_part_ways() -> None:
    """An unreadable policy ends in exit code 2 with one message on stderr."""
    done = _run("explain", "--policy", "missing.json", "--request", "missing.json")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("error[policy-schema]  missing.json\n")


def test_help_imports_nothing_heavy() -> None:
    """The help comes from the table of commands alone."""
    code = f"""
import sys
import time
from ctxengine.cli.group import cli
cli(["--help"], standalone_mode=False)
print(*[name for name in {HEAVY!r} if name in sys.modules], file=sys.stderr)
"""
    done = _run(code=code)
    assert "explain" in done.stdout
    assert done.stderr.split() == []


def test_json_needs_no_rich() -> None:
    """rich is imported where text is printed, and nowhere else."""
    code = """
import sys
import time
from ctxengine.cli.group import cli
cli(["check", "ctxengine:minimal", "--format", "json"], standalone_mode=False)
print("rich" in sys.modules, file=sys.stderr)
"""
    assert _run(code=code).stderr.split() == ["False"]


@pytest.mark.skipif(os.name == "nt", reason="pipes break otherwise there")
def test_a_broken_pipe_is_quiet() -> None:
    """A reader that leaves early is no error worth a word."""
    reader, writer = os.pipe()
    os.close(reader)
    command = [sys.executable, "-c", MAIN, "catalog", "--format", "json"]
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, stdout=writer, stderr=subprocess.PIPE, text=True, check=False, env=env)
    os.close(writer)
    assert done.stderr == ""


@pytest.mark.parametrize(
    ("variables", "coloured"), [({"FORCE_COLOR": "1", "NO_COLOR": ""}, True), ({"NO_COLOR": "1"}, False)]
)
def test_no_color_is_respected(variables: dict[str, str], coloured: bool) -> None:
    """Colour stands where the terminal takes it, and NO_COLOR takes it away."""
    done = _run("rules", **variables)
    assert ("\x1b[" in done.stdout) is coloured


def test_a_terminal_without_utf8_gets_text(tmp_path: Path) -> None:
    """What cannot be shown is replaced, not an error."""
    (tmp_path / "policy.json").write_text('{"version": "1", "édits": []}', encoding="utf-8")
    done = _run("check", str(tmp_path / "policy.json"), PYTHONIOENCODING="ascii", PYTHONUTF8="0")
    assert done.returncode == 2
    assert "there is no key" in done.stderr


def test_a_failure_of_our_own_is_one_message() -> None:
    """An exception nobody expected names its class, and how to see more."""
    code = """
from unittest import mock
from ctxengine.cli.group import cli
with mock.patch("ctxengine.engine.Engine.load", side_effect=ZeroDivisionError("PRIVATE")):
    cli(["check", "policy.json"])
"""
    done = _run(code=code)
    assert done.returncode == 2
    assert "ZeroDivisionError" in done.stderr and "CTXENGINE_DEBUG=1" in done.stderr
    assert "Traceback" not in done.stderr and "PRIVATE" not in done.stderr
    assert "Traceback" in _run(code=code, CTXENGINE_DEBUG="1").stderr


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_killed_run_leaves_nothing(tmp_path: Path, how: signal.Signals) -> None:
    """A run that is ended ends with that signal's code, and neither a file nor what it printed looks like a result."""
    answered = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"}]
    (tmp_path / "first.json").write_text(json.dumps({"model": "claude-opus-4-6", "messages": answered}))
    os.mkfifo(tmp_path / "never.json")
    args = [
        "simulate",
        "first.json",
        "never.json",
        "--policy",
        "ctxengine:minimal",
        "--out",
        "t.jsonl",
        "--format",
        "csv",
    ]
    run = subprocess.Popen(
        [sys.executable, "-c", MAIN, *args], cwd=tmp_path, stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    writer = _opened_by(run, tmp_path / "never.json")
    assert list(tmp_path.glob(".t.jsonl.*"))
    run.send_signal(how)
    printed, _ = run.communicate(timeout=30)
    os.close(writer)
    assert (run.returncode, printed) == (128 + how, b"")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["first.json", "never.json"]


def _opened_by(run: subprocess.Popen[bytes], pipe: Path) -> int:
    """The writing end of a pipe, once the run reads from it."""
    while run.poll() is None:
        try:
            return os.open(pipe, os.O_WRONLY | os.O_NONBLOCK)
        except OSError:
            time.sleep(0.01)
    raise AssertionError(f"the run ended by itself: {run.returncode}")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize("form", ["text", "json"])
def test_a_full_disk_is_one_message(form: str, unbuffered: str) -> None:
    """What the system refuses is said in its words, and is no failure of ours, however Python writes."""
    with Path("/dev/full").open("w", encoding="utf-8") as full:
        done = subprocess.run(
            [sys.executable, "-c", MAIN, "catalog", "--format", form], stdout=full, stderr=subprocess.PIPE, text=True,
            check=False, env={**os.environ, "PYTHONUNBUFFERED": unbuffered},
        )  # fmt: skip
    assert (done.returncode, done.stderr.splitlines()[0]) == (2, "error[usage]")
    assert "No space left" in done.stderr
    assert "Exception" not in done.stderr
