"""The agent loop: a script says what user and model say, the tools run, and everything is written down."""

from __future__ import annotations

import base64
import hashlib
import tempfile
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from examples.record.desk import Desk
from examples.record.toolbox import TOOL_PARAMS, Memory, ToolFailure, Workspace

Json = dict[str, Any]


@dataclass(frozen=True)
class Ask:
    """The user speaks; right after a reply with calls, the text joins the tool results."""

    text: str


@dataclass(frozen=True)
class Call:
    """One tool use of the scripted model."""

    tool: str
    input: Json


@dataclass(frozen=True)
class Reply:
    """One assistant turn; it has text, calls or both."""

    text: str = ""
    thinking: str = ""
    calls: tuple[Call, ...] = ()


@dataclass(frozen=True)
class Result:
    """What a tool answered."""

    text: str
    failed: bool


Script = Generator[Ask | Reply, list[Result], None]


@dataclass(frozen=True)
class Scenario:
    """A conversation to record: what the request holds beside the messages, the files, and the script."""

    name: str
    description: str
    request: Json
    tools: tuple[str, ...]
    script: Callable[[], Script]
    files: tuple[str, ...] = ()
    """Paths of the standard library that the workspace gets copies of."""
    planted: tuple[tuple[str, str, str], ...] = ()
    """Path, passage and what replaces it: defects in the copies, there before the conversation begins."""
    result_blocks: bool = field(default=False)
    """Tool results as lists of text blocks, as MCP servers send them, instead of strings."""


def record(scenario: Scenario) -> Json:
    """The conversation as a transcript.v1 document; no usage, since nothing was billed."""
    with tempfile.TemporaryDirectory() as folder:
        workspace = Workspace(Path(folder) / "workspace", scenario.files)
        for edit in scenario.planted:
            workspace.edit_file(*edit)
        recorder = _Recorder((workspace, Memory(Path(folder)), Desk()), scenario.result_blocks)
        messages = recorder.run(scenario.script())
    request = {**scenario.request, "tools": [TOOL_PARAMS[name] for name in scenario.tools], "messages": messages}
    return {"version": "1", "name": scenario.name, "description": scenario.description, "request": request}


class _Recorder:
    def __init__(self, homes: Sequence[object], result_blocks: bool) -> None:
        self._homes = homes
        self._result_blocks = result_blocks
        self._messages: list[Json] = []
        self._calls = 0

    def run(self, script: Script) -> list[Json]:
        results: list[Result] = []
        step = next(script)
        while True:
            results = self._ask(step) if isinstance(step, Ask) else self._reply(step)
            try:
                step = script.send(results)
            except StopIteration:
                return self._messages

    def _ask(self, ask: Ask) -> list[Result]:
        if self._messages and self._messages[-1]["role"] == "user":
            self._messages[-1]["content"].append({"type": "text", "text": ask.text})
        else:
            self._messages.append({"role": "user", "content": ask.text})
        return []

    def _reply(self, reply: Reply) -> list[Result]:
        content: list[Json] = []
        if reply.thinking:
            content.append({"type": "thinking", "thinking": reply.thinking, "signature": _signature(reply.thinking)})
        if reply.text:
            content.append({"type": "text", "text": reply.text})
        uses = [self._tool_use(call) for call in reply.calls]
        self._messages.append({"role": "assistant", "content": content + uses})
        results = [self._run(call) for call in reply.calls]
        if uses:
            blocks = [self._tool_result(use["id"], result) for use, result in zip(uses, results, strict=True)]
            self._messages.append({"role": "user", "content": blocks})
        return results

    def _tool_use(self, call: Call) -> Json:
        self._calls += 1
        return {"type": "tool_use", "id": f"toolu_recorded_{self._calls:04}", "name": call.tool, "input": call.input}

    def _run(self, call: Call) -> Result:
        try:
            home = next(home for home in self._homes if hasattr(home, call.tool))
            return Result(str(getattr(home, call.tool)(**call.input)), failed=False)
        except ToolFailure as failure:
            return Result(str(failure), failed=True)

    def _tool_result(self, id: str, result: Result) -> Json:
        content: Any = [{"type": "text", "text": result.text}] if self._result_blocks else result.text
        block = {"type": "tool_result", "tool_use_id": id, "content": content}
        return {**block, "is_error": True} if result.failed else block


def _signature(thinking: str) -> str:
    """A stand-in that nobody can take for a real one: "synthetic signature" and a hash of the text."""
    return base64.b64encode(b"synthetic signature " + hashlib.sha256(thinking.encode()).digest()).decode()
