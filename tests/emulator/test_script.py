"""The scripted model: recorded conversations, lists of turns, rules."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import anthropic
import pytest

from ctxengine.errors import MalformedInput
from ctxengine.transcripts import read_transcripts
from tests.emulator.sdk import HELLO, create, emulator

TOOL = {"name": "look", "input_schema": {"type": "object", "properties": {}}}
CALL = {"type": "tool_use", "id": "toolu_1", "name": "look", "input": {}}
RESULT = {"type": "tool_result", "tool_use_id": "toolu_1", "content": "a drawer"}
RECORDED = {
    "version": "1",
    "request": {
        "model": "claude-opus-5-5",
        "tools": [TOOL],
        "messages": [
            {"role": "user", "content": "Look."},
            {"role": "assistant", "content": [{"type": "thinking", "thinking": "", "signature": "cmVjb3JkZWQ="}, CALL]},
            {"role": "user", "content": [RESULT]},
            {"role": "assistant", "content": "It is a drawer."},
        ],
    },
    "recorded": [{"messages": 1, "model": "claude-opus-5-5", "usage": {"output_tokens": 321}, "timestamp": None}],
}
RULES = [
    {"when": "(?i)drawer", "reply": "There are 12 drawers."},
    {"tool": "look", "reply": [{"type": "text", "text": "I looked."}], "stop_reason": "refusal", "output_tokens": 7},
    {"reply": CALL},
]


@pytest.mark.parametrize("form", ["file", "transcript"])
def test_recorded_turns(form: str, tmp_path: Path) -> None:
    """The assistant's turns are played in order, recorded signatures and billed output included."""
    file = tmp_path / "recorded.json"
    file.write_text(json.dumps(RECORDED))
    emulated = emulator(file if form == "file" else read_transcripts(file)[0])
    messages = RECORDED["request"]["messages"]
    first = create(emulated, {**RECORDED["request"], "max_tokens": 1024, "messages": messages[:1]})
    assert ([block.type for block in first.content], first.stop_reason) == (["thinking", "tool_use"], "tool_use")
    assert (first.content[0].signature, first.usage.output_tokens) == ("cmVjb3JkZWQ=", 321)
    second = create(emulated, {**RECORDED["request"], "max_tokens": 1024, "messages": messages[:3]})
    assert (second.content[0].text, second.stop_reason) == ("It is a drawer.", "end_turn")
    with pytest.raises(anthropic.BadRequestError, match="all of its 2 turns have been played"):
        create(emulated, HELLO)


def test_rules(tmp_path: Path) -> None:
    """The first rule that fits speaks; tool uses without an id get one each."""
    file = tmp_path / "rules.json"
    file.write_text(json.dumps(RULES))
    emulated = emulator(str(file))
    tools = {**HELLO, "tools": [TOOL]}
    assert (
        create(emulated, {**tools, "messages": [{"role": "user", "content": "DRAWERS?"}]}).content[0].text[-11:]
        == "12 drawers."
    )
    asked = create(emulated, tools)
    assert (asked.content[0].name, asked.stop_reason) == ("look", "tool_use")
    looped = [*HELLO["messages"], {"role": "assistant", "content": [CALL]}, {"role": "user", "content": [RESULT]}]
    done = create(emulated, {**tools, "messages": looped})
    assert (done.content[0].text, done.stop_reason, done.usage.output_tokens) == ("I looked.", "refusal", 7)


def test_ids_are_made() -> None:
    """A tool use that a script gives no id gets a new one each time."""
    call = {"type": "tool_use", "name": "look", "input": {}}
    emulated = emulator([{"reply": call}])
    ids = {create(emulated, {**HELLO, "tools": [TOOL]}).content[0].id for _ in range(3)}
    assert len(ids) == 3


def test_no_rule_fits() -> None:
    """A request that no rule is for is refused."""
    with pytest.raises(anthropic.BadRequestError, match="none of its rules fits"):
        create(emulator([{"when": "^never$", "reply": "…"}]), HELLO)


def test_a_message_of_the_api_as_a_turn() -> None:
    """A response can stand in a list of turns as it came, with its stop reason and its output tokens."""
    said = {
        "type": "message",
        "content": [{"type": "text", "text": "No."}],
        "stop_reason": "refusal",
        "usage": {"output_tokens": 9},
    }
    message = create(emulator([said]), HELLO)
    assert (message.content[0].text, message.stop_reason, message.usage.output_tokens) == ("No.", "refusal", 9)


@pytest.mark.parametrize(
    ("reply", "field"),
    [
        ({"type": "compaction"}, "0.content.0.content"),
        ({"type": "text"}, "0.content.0.text"),
        ({"type": "text", "text": 5}, "0.content.0.text"),
        ({"type": "thinking"}, "0.content.0.thinking"),
        ({"type": "tool_use", "name": "look", "input": "x"}, "0.content.0.input"),
        ({"type": "tool_use", "id": 5, "name": "look", "input": {}}, "0.content.0.id"),
        ({"type": "tool_use", "id": "functions.look:0", "name": "look", "input": {}}, "0.content.0.id"),
        ({"type": "server_tool_use"}, "0.content.0.id"),
        ({"type": "web_search_tool_result", "tool_use_id": "srvtoolu_1"}, "0.content.0.content"),
        (["x"], "0.content.0"),
        ([{"type": "text", "text": "x"}, {"type": "nonsense"}], "0.content.1.type"),
        ({"type": "tool_result", "tool_use_id": "toolu_1", "content": "x"}, "0.content.0.type"),
        ({"type": "tool_use", "name": "look", "input": {"x": {"ab"}}}, "0"),
        ({"type": "tool_use", "name": "look", "input": {"x": float("nan")}}, "0"),
        ({"content": "x", "usage": 5}, "0.usage"),
        ({"content": "x", "usage": {"output_tokens": "a"}}, "0.output_tokens"),
        ({"content": "x", "usage": {"output_tokens": -1}}, "0.output_tokens"),
        ({"content": "x", "stop_reason": "bored"}, "0.stop_reason"),
    ],
)
def test_nonsense_in_scripts(reply: Any, field: str) -> None:
    """A reply that no model could write is refused with its place at once, as a rule and as a turn."""
    scripts = [{"reply": reply}], [reply]
    for script in scripts:
        with pytest.raises(MalformedInput) as refused:
            emulator(script)
        (finding,) = refused.value.findings
        assert finding.where and (finding.rule, finding.where.path) == ("script-malformed", field)


@pytest.mark.parametrize(
    "script",
    [
        [{"reply": "x", "unless": "y"}],
        [{"when": "x", "repl": "y"}],
        [{"when": "x"}],
        [{"when": "(", "reply": "x"}],
        [{"when": "a{99999999999}", "reply": "x"}],
        [{"reply": "x"}, "text"],
        [{"reply": 5}],
        [[{"text": "without a type"}]],
        "no such file.json",
        42,
    ],
)
def test_unreadable_scripts(script: Any) -> None:
    """A script that cannot be played is refused when the emulator is made."""
    with pytest.raises(MalformedInput):
        emulator(script)


def test_a_script_that_is_nothing_is_told_what_scripts_are(tmp_path: Path) -> None:
    """A file that is no script at all, and a pattern that is none, are told with what is wrong."""
    file = tmp_path / "policy.json"
    file.write_text('{"reply": "x"}')
    with pytest.raises(MalformedInput, match="a list of rules or of replies"):
        emulator(file)
    with pytest.raises(MalformedInput, match="no regular expression: missing"):
        emulator([{"when": "(x", "reply": "y"}])


def test_rules_and_turns_do_not_mix() -> None:
    """The item that is no rule is named, wherever the rules are."""
    with pytest.raises(MalformedInput, match="no rule") as refused:
        emulator([{"reply": "x"}, "text"])
    assert refused.value.findings[0].where.path == "1"


@pytest.mark.parametrize("begins", ["", "\N{ZERO WIDTH NO-BREAK SPACE}"])
def test_a_file_of_turns(begins: str, tmp_path: Path) -> None:
    """A list of replies can stand in a file too, with a byte order mark or without."""
    file = tmp_path / "turns.json"
    file.write_text(begins + json.dumps(["one", {"type": "text", "text": "two"}]), encoding="utf-8")
    emulated = emulator(file)
    assert [create(emulated, HELLO).content[0].text for _ in range(2)] == ["one", "two"]


def test_nonsense_in_recorded_turns(tmp_path: Path) -> None:
    """What no model could write is refused in a recorded conversation too, with the message's place."""
    file = tmp_path / "recorded.json"
    messages = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": [{"type": "compaction"}]}]
    file.write_text(json.dumps({"model": "claude-opus-5-5", "messages": messages}))
    with pytest.raises(MalformedInput) as refused:
        emulator(file)
    where = refused.value.findings[0].where
    assert (where.file, where.path) == (str(file), "messages.1.content.0.content")


def test_a_reply_of_nothing() -> None:
    """A reply without a letter, or one that a stop sequence begins, has no block that could not be sent back."""
    emulated = emulator(["", "STOP and go"])
    assert create(emulated, HELLO).content == []
    stopped = create(emulated, {**HELLO, "stop_sequences": ["STOP"]})
    assert (stopped.content, stopped.stop_sequence) == ([], "STOP")
