"""Recorded exchanges with the API: a call the emulator can take, and what was answered, streams put together."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from benchmarks.token_pairs import billed
from ctxengine import Engine
from ctxengine.catalog.facts import CLEAR_EDITS
from ctxengine.emulator import Call

CACHE = ("cache_read_input_tokens", "ephemeral_5m_input_tokens", "ephemeral_1h_input_tokens", "input_tokens")
CLEARED = "cleared_input_tokens"
ENGINE = Engine.from_policy({})
VERSION = "2023-06-01"
TOOLS = {"memory": CLEAR_EDITS}
"""How the type of a tool begins whose clients send a beta along, and the feature of the beta."""
TRUTH = "GROUND_TRUTH.dev.json"
INVOKE = "/model/{model}/invoke"


@dataclass(frozen=True)
class Reply:
    """An answer of the API's, recorded or emulated."""

    status: int
    body: Mapping[str, Any]
    """The JSON; of a stream the message that it makes."""
    usages: tuple[Mapping[str, Any], ...]
    """The usage, of a stream its first and its last one; none in an error or a count."""

    @property
    def usage(self) -> dict[str, Any]:
        return {name: value for usage in self.usages for name, value in usage.items()}

    @property
    def passes(self) -> tuple[int, ...]:
        """Input tokens of each sampling pass, as far as they are told apart; of a count the count."""
        usage = self.usage or {name: self.body[name] for name in ("input_tokens",) if name in self.body}
        return tuple(billed(each) for each in usage.get("iterations") or (usage,) if each)

    @property
    def cached(self) -> tuple[int, ...]:
        """Tokens read, written for 5 minutes, written for an hour, and uncached."""
        flat = {**self.usage, **(self.usage.get("cache_creation") or {})}
        return tuple(int(flat.get(name) or 0) for name in CACHE)

    @property
    def kinds(self) -> list[str]:
        return [block["type"] for block in self.body.get("content", ())]

    @property
    def applied(self) -> Any:
        """``applied_edits`` but for the cleared tokens, which are an estimate of the API's own."""
        edits = (self.body.get("context_management") or {}).get("applied_edits")
        return edits and [{name: value for name, value in edit.items() if name != CLEARED} for edit in edits]

    @property
    def cleared(self) -> tuple[int, ...]:
        edits = (self.body.get("context_management") or {}).get("applied_edits") or ()
        return tuple(edit[CLEARED] for edit in edits)

    @property
    def shapes(self) -> list[Any]:
        """The fields of each usage, without their numbers."""
        return [shape_of(usage) for usage in self.usages]


@dataclass(frozen=True)
class Exchange:
    """One recorded request and its answer."""

    recording: str
    call: Call
    model: str
    reply: Reply
    whole: bool = True
    """Whether the answer was recorded whole, not only some of its numbers."""

    @property
    def body(self) -> Any:
        return json.loads(self.call.body)

    @property
    def counts(self) -> bool:
        """Whether it asks for a count of tokens, not for a message."""
        return self.call.path.endswith("/count_tokens")


def recordings(folder: Path) -> Iterator[list[Exchange]]:
    """The exchanges of each recording that has requests, in the order of their names."""
    for path in sorted(folder.glob("*.json")):
        read = json.loads(path.read_text(encoding="utf-8"))
        if "interactions" in read:
            yield [_exchange(path.stem, each) for each in read["interactions"]]
    for case in json.loads((folder / TRUTH).read_text(encoding="utf-8"))["cases"]:
        if case.get("sha_verified"):
            yield [_case(case, json.loads((folder / case["request_file"]).read_text(encoding="utf-8")))]


def reply_of(status: int, text: str) -> Reply:
    """An answer from the text of its body, JSON or a stream of events."""
    if text.lstrip().startswith("{"):
        return _whole(status, json.loads(text))
    lines = (line.removeprefix("data:") for line in text.splitlines() if line.startswith("data:"))
    return _streamed(status, [json.loads(line) for line in lines])


def shape_of(value: Any) -> Any:
    """The names of fields and the types of entries; numbers and other words are all alike."""
    if isinstance(value, Mapping):
        return {name: value[name] if name == "type" else shape_of(value[name]) for name in sorted(value)}
    return [shape_of(part) for part in value] if isinstance(value, list) else type(value).__name__


def betas_of(body: Mapping[str, Any]) -> tuple[str, ...]:
    """The betas that a request needs: recordings do not hold the ones it was sent with."""
    arguments = {name: value for name, value in body.items() if name != "stream"}
    needed = ENGINE.plan(**arguments).beta_names
    kinds = {str(tool.get("type")).partition("_")[0] for tool in body.get("tools") or ()}
    return (*needed, *(beta for kind in TOOLS.keys() & kinds for beta in ENGINE.catalog.betas_for(TOOLS[kind])))


def _exchange(name: str, recorded: Mapping[str, Any]) -> Exchange:
    request, response = recorded["request"], recorded["response"]
    body, path = request["body"], urlsplit(request["url"]).path
    model = body.get("model") or unquote(path.split("/")[2])
    headers = {"x-api-key": "recorded", "anthropic-version": VERSION}
    if "model" in body and (betas := betas_of(body)):
        headers["anthropic-beta"] = ",".join(betas)
    text = response.get("sse") or json.dumps(response["body"])
    call = Call("POST", path, headers=headers, body=json.dumps(body).encode())
    return Exchange(name, call, model, reply_of(response["status"], text))


def _case(case: Mapping[str, Any], body: Mapping[str, Any]) -> Exchange:
    """A request whose answer is known by its numbers alone."""
    seen, model = case["observed"], case["model"]
    numbers = {name: seen[name] for name in ("input_tokens", "output_tokens")}
    edits = {"context_management": {"applied_edits": seen["applied_edits"]}} if "applied_edits" in seen else {}
    call = Call("POST", INVOKE.format(model=model), headers={"x-api-key": "recorded"}, body=json.dumps(body).encode())
    return Exchange(case["id"], call, model, Reply(200, {"usage": numbers, **edits}, (numbers,)), whole=False)


def _whole(status: int, body: Mapping[str, Any]) -> Reply:
    return Reply(status, body, (body["usage"],) if "usage" in body else ())


def _streamed(status: int, events: list[dict[str, Any]]) -> Reply:
    message: dict[str, Any] = {}
    usages: list[Mapping[str, Any]] = []
    for event in events:
        if event["type"] == "message_start":
            message = {**event["message"], "content": []}
            usages.append(event["message"]["usage"])
        elif event["type"] == "content_block_start":
            message["content"].append(dict(event["content_block"]))
        elif event["type"] == "content_block_delta":
            _extend(message["content"][-1], event["delta"])
        elif event["type"] == "message_delta":
            message |= event["delta"] | {name: event[name] for name in ("context_management",) if name in event}
            usages.append(event["usage"])
    for block in message["content"]:
        if "partial" in block:
            block["input"] = json.loads(block.pop("partial") or "{}")
    return Reply(status, {**message, "usage": usages[-1]}, tuple(usages))


def _extend(block: dict[str, Any], delta: Mapping[str, Any]) -> None:
    """A block with one more delta of a stream."""
    kind = delta["type"]
    if kind == "input_json_delta":
        block["partial"] = block.get("partial", "") + delta["partial_json"]
    elif kind == "citations_delta":
        block["citations"] = [*(block.get("citations") or ()), delta["citation"]]
    else:
        name = {"compaction_delta": "content"}.get(kind, kind.removesuffix("_delta"))
        block[name] = (block.get(name) or "") + delta[name]
