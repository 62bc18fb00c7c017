"""OpenAI chat histories with tools: bare, or under ``messages``, ``traj`` or ``history``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from ctxengine.errors import MalformedInput
from ctxengine.findings import Place
from ctxengine.jsontext import read_json
from ctxengine.transcripts.reading import Draft, Message, Reader, text_or_none
from ctxengine.transcripts.source import MALFORMED, Notes, Row

WRAPPERS = ("messages", "traj", "history")
SYSTEM = ("system", "developer")
RESULTS = ("tool", "function")
"""Roles of a tool's result, the second from before calls had ids."""
ROLES = (*SYSTEM, "user", "assistant", *RESULTS)
MARKED = frozenset({"developer", *RESULTS})
"""Roles that the Messages API does not have."""
CALLS = ("tool_calls", "function_call")
TEXTS = ("text", "refusal")
"""Types of parts that hold a text, under a key of the same name."""


def _history(value: Any) -> tuple[str, list[Any]]:
    """The list of chat messages in a document, and the key it stands under; an empty list where there is none."""
    if isinstance(value, list):
        return "", value
    if isinstance(value, dict):
        for key in WRAPPERS:
            if isinstance(value.get(key), list):
                return key, value[key]
    return "", []


def _is_chat(value: Any) -> bool:
    key, history = _history(value)
    if not history or not all(
        isinstance(message, dict) and isinstance(message.get("role"), str) for message in history
    ):
        return False
    return key in ("traj", "history") or history[0]["role"] in SYSTEM or any(map(_is_marked, history))


def _is_marked(message: Message) -> bool:
    """Whether a message has what no message of the Messages API has."""
    if message["role"] in MARKED or not message.keys().isdisjoint(CALLS):
        return True
    content = message.get("content")
    return isinstance(content, list) and any(isinstance(part, dict) and "image_url" in part for part in content)


def _read(rows: Iterable[Row], notes: Notes) -> Iterator[Draft]:
    for row in rows:
        key, history = _history(row.value)
        chat = _Chat(row, notes)
        for index, message in enumerate(history):
            chat.add(message, f"{key}.{index}" if key else str(index))
        model = text_or_none(row.value.get("model")) if isinstance(row.value, dict) else None
        request: dict[str, Any] = {**({"model": model} if model else {}), "messages": chat.messages}
        if chat.system:
            request["system"] = "\n\n".join(chat.system)
        if tools := _tools(row.value):
            request["tools"] = tools
        yield Draft(request, place=chat.place)


class _Chat:
    def __init__(self, row: Row, notes: Notes) -> None:
        self.system: list[str] = []
        self.messages: list[Message] = []
        self._paths: list[str] = []
        self._row = row
        self._notes = notes

    def add(self, message: Any, path: str) -> None:
        role = message.get("role") if isinstance(message, dict) else None
        if role not in ROLES:
            self._malformed(path, f"this is no chat message: its role is none of {', '.join(ROLES)}")
            return
        blocks = self._blocks(message.get("content"), f"{path}.content")
        if blocks is None:
            return
        if role in SYSTEM and not self.messages:
            self.system.extend(block["text"] for block in blocks if block.get("text"))
            return
        self._paths.append(path)
        if role in RESULTS:
            self.messages.append({"role": "user", "content": [_result(message, blocks)]})
        elif role == "assistant":
            if refusal := text_or_none(message.get("refusal")):
                blocks.append({"type": "text", "text": refusal})
            if message.get("function_call") is not None:
                blocks.extend(self._call({"function": message["function_call"]}, f"{path}.function_call"))
            blocks.extend(self._calls(message.get("tool_calls"), f"{path}.tool_calls"))
            self.messages.append({"role": "assistant", "content": blocks})
        else:  # later instructions came between the turns: Messages takes them everywhere only as user text
            self.messages.append({"role": "user", "content": blocks})

    def place(self, index: int) -> Place:
        """Where a message stands."""
        return self._row.place(self._paths[index])

    def _blocks(self, content: Any, path: str) -> list[dict[str, Any]] | None:
        if content is None or isinstance(content, str):
            return [{"type": "text", "text": content}] if content else []
        blocks = [_block(part) for part in content] if isinstance(content, list) else [None]
        if None in blocks:
            self._malformed(path, "message content is neither text nor a list of text and image parts")
            return None
        return [block for block in blocks if block is not None]

    def _calls(self, calls: Any, path: str) -> Iterator[dict[str, Any]]:
        if calls is not None and not isinstance(calls, list):
            self._malformed(path, "tool_calls is no list")
            return
        for index, call in enumerate(calls or ()):
            yield from self._call(call, f"{path}.{index}")

    def _call(self, call: Any, path: str) -> Iterator[dict[str, Any]]:
        called = _called(call) if isinstance(call, dict) else None
        if called:
            yield {"type": "tool_use", "id": call.get("id"), "name": called[0], "input": called[1]}
        else:
            self._malformed(path, "this tool call names neither a function nor a custom tool")

    def _malformed(self, path: str, message: str) -> None:
        self._notes.malformed(self._row.place(path), message, "correct this message")


def _called(call: dict[str, Any]) -> tuple[Any, Any] | None:
    """Name and input of what is called: a function, or a custom tool, whose input is a text."""
    function, custom = call.get("function"), call.get("custom")
    if isinstance(function, dict):
        return function.get("name"), _arguments(function.get("arguments"))
    return (custom.get("name"), {"input": custom.get("input")}) if isinstance(custom, dict) else None


def _block(part: Any) -> dict[str, Any] | None:
    if not isinstance(part, dict):
        return None
    if part.get("type") in TEXTS and isinstance(part.get(part["type"]), str):
        return {"type": "text", "text": part[part["type"]]}
    image = part.get("image_url")
    url = image.get("url") if part.get("type") == "image_url" and isinstance(image, dict) else None
    if not isinstance(url, str):
        return None
    head, comma, data = url.partition(";base64,")
    if comma and head.startswith("data:"):
        return {"type": "image", "source": {"type": "base64", "media_type": head.removeprefix("data:"), "data": data}}
    return {"type": "image", "source": {"type": "url", "url": url}}


def _result(message: Message, blocks: list[dict[str, Any]]) -> dict[str, Any]:
    ids = message.get("tool_call_ids")
    use_id = message.get("tool_call_id") or (ids[0] if isinstance(ids, list) and ids else None)
    content = message["content"] if isinstance(message.get("content"), str) else blocks
    return {"type": "tool_result", "tool_use_id": use_id, "content": content}


def _arguments(arguments: Any) -> Any:
    """Arguments are JSON in a string; what does not parse (a model's slip) stays the text it is."""
    if not isinstance(arguments, str):
        return arguments
    try:
        return read_json(arguments, "", rule=MALFORMED).value if arguments else {}
    except MalformedInput:
        return arguments


def _tools(value: Any) -> list[dict[str, Any]]:
    """Definitions of functions, of custom tools, and of the functions of old."""
    if not isinstance(value, dict):
        return []
    tools, functions = (each if isinstance(each, list) else [] for each in map(value.get, ("tools", "functions")))
    given = [tool.get("function") or tool.get("custom") for tool in tools if isinstance(tool, dict)]
    return [_tool(each) for each in (*given, *functions) if isinstance(each, dict) and each.get("name")]


def _tool(function: dict[str, Any]) -> dict[str, Any]:
    tool = {"name": function["name"], "input_schema": function.get("parameters") or {"type": "object"}}
    return {**tool, "description": function["description"]} if function.get("description") else tool


OPENAI = Reader("openai-chat", _is_chat, _read)
