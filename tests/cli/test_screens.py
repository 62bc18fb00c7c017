"""What stands on the screen, 80 columns wide, as snapshots: look at them when they change."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from syrupy.assertion import SnapshotAssertion

from ctxengine.cli.group import cli

WEATHER = {"name": "weather", "description": "The weather of a place.", "input_schema": {"type": "object"}}
TEAM = {
    "version": "1",
    "extends": ["./org.json"],
    "on_unsupported": "degrade",
    "compaction": {"mode": "threshold", "trigger": {"type": "window_fraction", "value": 0.5}},
    "cache": {"breakpoints": ["system", "last_message"]},
}
ORG = {
    "version": "1",
    "edits": [
        {
            "type": "clear_tool_uses_20250919",
            "trigger": {"type": "input_tokens", "value": 20000},
            "clear_at_least": {"type": "input_tokens", "value": 5000},
            "exclude_tools": ["memory"],
        }
    ],
    "betas": ["files-api-2025-04-14"],
}
WRONG = {"version": "1", "edits": [{"type": "clear_tool_uses_20250919", "keep": {"type": "tool_uses", "value": -1}}]}


def _turns(count: int) -> Iterator[dict[str, Any]]:
    for at in range(count):
        use = {"type": "tool_use", "id": f"use_{at}", "name": "weather", "input": {"place": "Oslo"}}
        yield {"role": "user" if not at else "assistant", "content": "Look it up." if not at else [use]}
        if at:
            result = {"type": "tool_result", "tool_use_id": f"use_{at}", "content": "Rain, and then some more. " * 200}
            yield {"role": "user", "content": [result]}


REQUEST = {
    "model": "claude-opus-4-6",
    "max_tokens": 1024,
    "system": "Be brief.",
    "tools": [WEATHER],
    "messages": [*_turns(30)],
}


@pytest.fixture(autouse=True)
def _files(tmp_path: Path, _quiet: None) -> None:
    given = {"team": TEAM, "org": ORG, "wrong": WRONG, "request": REQUEST}
    for name, value in given.items():
        (tmp_path / f"{name}.json").write_text(json.dumps(value, indent=2), encoding="utf-8")


SCREENS = {
    "explain": ("explain", "--policy", "team.json", "--request", "request.json"),
    "explain a short request on bedrock": (
        "explain", "--policy", "team.json", "--request", "request.json", "--at", "3", "--model", "claude-haiku-4-5",
        "--platform", "bedrock",
    ),
    "diff": ("diff", "--policy", "org.json", "--policy", "team.json", "--request", "request.json"),
    "diff of the same": ("diff", "--policy", "org.json", "--policy", "org.json", "--request", "request.json"),
    "check": ("check", "team.json", "wrong.json", "--model", "claude-sonnet-4-5", "--as-of", "2026-11-20"),
    "check for github": ("check", "wrong.json", "--format", "github"),
    "matrix": ("check", "team.json", "--model", "all", "--platform", "all", "--as-of", "2026-11-20"),
    "matrix of one model": (
        "check", "wrong.json", "--model", "claude-opus-4-6", "--platform", "all", "--as-of", "2026-11-20",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", SCREENS)
def test_screen(name: str, snapshot: SnapshotAssertion) -> None:
    """The screen is as it was when somebody last looked at it."""
    result = CliRunner().invoke(cli, SCREENS[name])
    lines = [line.rstrip() for line in result.output.splitlines()]
    assert max(map(len, lines)) <= 80 or "github" in name
    assert "\n".join([f"exit code {result.exit_code}", *lines]) == snapshot


def test_numbers_are_not_broken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many policies are compared, a number stands on one line."""
    monkeypatch.chdir(tmp_path)
    said = {"role": "user", "content": "word " * 150_000}
    Path("c.json").write_text(
        json.dumps({"model": "claude-opus-4-6", "messages": [said, {"role": "assistant", "content": "Hello"}]})
    )
    policies = [f"policy_of_team_{number}.json" for number in range(9)]
    for name in policies:
        Path(name).write_text('{"version": "1"}')
    args = ["simulate", "c.json", *(f"--policy={name}" for name in policies)]
    totals = json.loads(CliRunner().invoke(cli, [*args, "--format", "json"]).stdout)["totals"]
    screen = CliRunner().invoke(cli, args).stdout.split()
    assert len(totals) == 10
    assert screen.count(f"{totals[0]['peak']:,}") >= 10
