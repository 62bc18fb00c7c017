"""The plugin manual: every hook has its section and its test, and the plugin it walks through is the one that runs."""

from __future__ import annotations

import inspect
import json
import re
import sys
from pathlib import Path
from typing import Any

import pytest

from ctxengine import Engine, TranscriptError
from ctxengine.extension import hookspecs
from ctxengine.extension.host import Host
from ctxengine.transcripts import read_transcripts

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "examples" / "plugin"
MANUAL = (ROOT / "docs" / "plugins.md").read_text(encoding="utf-8")
HOOKS = {name: spec for name, spec in vars(hookspecs).items() if hasattr(spec, "ctxengine_spec")}
CLEAR = {"type": "clear_tool_uses_20250919"}


@pytest.fixture
def example(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(str(EXAMPLE))
    import ctxengine_example

    yield ctxengine_example
    del sys.modules["ctxengine_example"]


def plan(example: Any, *messages: str, **policy: Any) -> Any:
    engine = Engine.from_policy({"version": "1", **policy}, plugins=[example])
    roles = ("user", "assistant")
    turns = [{"role": roles[index % 2], "content": text} for index, text in enumerate(messages or ("Hi",))]
    tools = [{"name": "read_plan", "input_schema": {"type": "object"}}]
    return engine.plan(model="claude-opus-4-6", max_tokens=1024, tools=tools, messages=turns)


def keeping(*tools: str) -> dict[str, Any]:
    return {"config": {"example": {"keep": list(tools)}}}


def test_there_are_hooks() -> None:
    """The tests below see the hooks there are."""
    assert len(HOOKS) == 5


@pytest.mark.parametrize("name", HOOKS)
def test_hook_is_documented_typed_and_tested(name: str) -> None:
    """A hook has a section in the manual, a docstring and types in hookspecs.py, and a test here that runs it."""
    assert f"\n### `{name}`\n" in MANUAL
    assert callable(globals().get(f"test_{name}"))
    signature = inspect.signature(HOOKS[name])
    assert "Returns:" in (inspect.getdoc(HOOKS[name]) or "") and signature.return_annotation is not signature.empty
    assert all(parameter.annotation is not parameter.empty for parameter in signature.parameters.values())


def blocks(language: str, start: str, end: str) -> list[str]:
    section = MANUAL[MANUAL.index(start) : MANUAL.index(end)]
    return re.findall(rf"```{language}\n(.*?)```", section, re.DOTALL)


@pytest.mark.parametrize(("language", "file"), [("toml", "pyproject.toml"), ("python", "ctxengine_example.py")])
def test_walkthrough_shows_the_whole_plugin(language: str, file: str) -> None:
    """The manual's blocks, put together, are the example's files line by line."""
    shown = "\n\n\n".join(block.strip() for block in blocks(language, "## Writing one", "## Trying it"))
    assert shown == (EXAMPLE / file).read_text(encoding="utf-8").strip()


def test_trying_it_works(example: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """The block under "Trying it" runs, and what it prints names the plugin."""
    (block,) = blocks("python", "## Trying it", "## When a plugin fails")
    exec(block, {})
    assert "plugin example" in capsys.readouterr().out


def test_ctxengine_contribute_edits(example: Any) -> None:
    """The tools the settings name are excluded from clearing, and nothing is cleared that was not before."""
    made = plan(example, edits=[CLEAR], plugins=keeping("read_plan"))
    assert made.edit(CLEAR["type"]).params["exclude_tools"] == ["read_plan"]
    assert plan(example, plugins=keeping("read_plan")).edits == ()


def test_ctxengine_contribute_breakpoints(example: Any) -> None:
    """The first message is marked as soon as there is a second one."""
    brief = "The brief. " * 10_000
    assert plan(example, brief).breakpoints == ()
    (mark,) = plan(example, brief, "Yes", "Go on").breakpoints
    assert (mark.place, mark.at.path, mark.origin.source) == (
        "plugin example",
        "messages.0.content.0",
        "plugin example",
    )


def test_ctxengine_contribute_rules(example: Any) -> None:
    """A tool of the settings that is not there is a finding, one that is there is none."""
    found = plan(example, plugins=keeping("read_plan", "raed_plan")).report
    hits = [finding for finding in found if finding.rule == "example-keep-unknown"]
    assert [finding.where.path for finding in hits] == ["plugins.config.example.keep"]


def test_ctxengine_register_edits(example: Any) -> None:
    """A policy can name the new edit: it goes out in its place in line, with its beta."""
    images = {"type": "clear_images_20270101", "keep": {"type": "images", "value": 1}}
    made = plan(example, edits=[images, CLEAR])
    assert [edit.wire() for edit in made.edits] == [CLEAR, images]
    assert "clear-images-2027-01-01" in made.beta_names
    assert made.report.ok


def test_ctxengine_transcript_readers(example: Any) -> None:
    """A file of the plugin's format is read, and a wrong line is named."""
    (reader,) = Host([example], entry_points=False).readers
    chat = {"chat": [["user", "Hello"], ["assistant", "Hi"]]}
    (transcript,) = read_transcripts(json.dumps(chat).encode(), readers=[reader])
    assert (transcript.format, [message["role"] for message in transcript.request["messages"]]) == (
        "example-chat",
        ["user", "assistant"],
    )
    chat["chat"].append(["assistant"])
    with pytest.raises(TranscriptError, match=r"chat\.2"):
        read_transcripts(json.dumps(chat).encode(), readers=[reader])
