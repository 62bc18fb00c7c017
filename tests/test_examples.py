"""The examples hold what they promise: whole conversations, policies that load, a drop-in that runs offline."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from examples.record.loop import record
from examples.record.scenarios import SCENARIOS

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"
MACHINE_PATH = re.compile(r"(?<![\w.)])/(tmp|root|home|work|opt)/\w")


def _messages(name: str) -> list[dict[str, Any]]:
    return json.loads((EXAMPLES / "transcripts" / f"{name}.json").read_text(encoding="utf-8"))["request"]["messages"]


def _ids(message: dict[str, Any], key: str) -> list[str]:
    return [block[key] for block in message["content"] if isinstance(block, dict) and key in block]


@pytest.mark.parametrize("name", SCENARIOS)
def test_every_tool_use_is_answered_in_the_next_message(name: str) -> None:
    """User and assistant take turns, and each tool use has its result, in order, in the next user message."""
    messages = _messages(name)
    assert [message["role"] for message in messages[:2]] == ["user", "assistant"]
    for message, following in pairwise(messages):
        assert message["role"] != following["role"]
        assert _ids(following, "tool_use_id") == _ids(message, "id")


@pytest.mark.parametrize("name", SCENARIOS)
def test_recordings_name_no_path_of_the_machine(name: str) -> None:
    """What a tool saw of the machine is mapped to the workspace."""
    assert not MACHINE_PATH.search((EXAMPLES / "transcripts" / f"{name}.json").read_text(encoding="utf-8"))


def test_several_recordings_are_long() -> None:
    """At least four of them have 50 to 400 turns, a turn being one assistant message."""
    turns = [sum(message["role"] == "assistant" for message in _messages(name)) for name in SCENARIOS]
    assert sum(50 <= count <= 400 for count in turns) >= 4


@pytest.mark.parametrize("name", ["chat-notes", "refactor-json", "support-desk"])
def test_recording_again_gives_the_same(name: str) -> None:
    """The script and the tools leave nothing to chance."""
    assert record(SCENARIOS[name]) == record(SCENARIOS[name])


@pytest.mark.parametrize("file", sorted((EXAMPLES / "policies").glob("*.json")), ids=lambda file: file.stem)
def test_policies_pass_their_check(file: Path) -> None:
    """Each example policy goes through ``ctxengine check`` without an error, for the request it is shown with."""
    request = EXAMPLES / "transcripts" / "stdlib-audit.json"
    command = [
        sys.executable,
        "-c",
        "from ctxengine.cli import main; main()",
        "check",
        str(file),
        "--request",
        str(request),
    ]
    checked = subprocess.run(command, capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_drop_in_runs_offline() -> None:
    """The drop-in example sends the edits of its policy through the real SDK and prints the reply."""
    done = subprocess.run([sys.executable, EXAMPLES / "drop_in.py"], capture_output=True, text=True, check=True)
    assert "clear_tool_uses_20250919" in done.stdout
    assert done.stdout.endswith("Here is the draft.\n")
