"""pi session logs: one entry a line; a compaction keeps the entries from ``firstKeptEntryIndex`` on."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ctxengine.findings import Place
from ctxengine.transcripts.reading import Draft, Message, Reader, content_is_sound, text_or_none
from ctxengine.transcripts.source import Notes, Row
from ctxengine.transcripts.transcript import Recorded

USAGE = {
    "input": "input_tokens",
    "output": "output_tokens",
    "cacheRead": "cache_read_input_tokens",
    "cacheWrite": "cache_creation_input_tokens",
}
ROLES = ("user", "assistant", "toolResult", "bashExecution")


def _is_entry(value: Any) -> bool:
    if not isinstance(value, dict):
        return False
    kind = value.get("type")
    return (kind == "session" and "cwd" in value) or (kind == "message" and isinstance(value.get("message"), dict))


class _Session:
    def __init__(self) -> None:
        self.drafts: list[Draft] = []
        self._model: str | None = None
        self._thinking = ""
        self._messages: list[tuple[Place, Message]] = []
        self._billed: list[Recorded] = []

    def add(self, row: Row) -> None:
        entry = row.value
        kind = entry.get("type")
        if kind in ("session", "model_change") and isinstance(entry.get("modelId"), str):
            self._model = entry["modelId"]
        if kind in ("session", "thinking_level_change"):
            self._thinking = text_or_none(entry.get("thinkingLevel")) or ""
        elif kind == "compaction":
            self._compact(row)
        elif kind == "message":
            message = entry["message"]
            if message["role"] == "assistant":
                self._bill(message, entry.get("timestamp"))
            self._messages.append((row.place("message"), _message(message)))

    def close(self) -> None:
        if self._messages:
            known = {"model": self._model} if self._model else {}
            places, messages = zip(*self._messages, strict=True)
            request = {**known, "messages": list(messages)}
            self.drafts.append(Draft(request, tuple(self._billed), place=places.__getitem__))

    def _compact(self, row: Row) -> None:
        self.close()
        first = row.value.get("firstKeptEntryIndex")  # from 0; lines are counted from 1
        kept = [pair for pair in self._messages if isinstance(first, int) and (pair[0].line or 1) > first]
        self._messages = [(row.place("summary"), {"role": "user", "content": row.value["summary"]}), *kept]
        self._billed = []

    def _bill(self, message: dict[str, Any], timestamp: Any) -> None:
        if isinstance(message.get("model"), str):
            self._model = message["model"]
        given = message.get("usage")
        usage = {name: given.get(key) or 0 for key, name in USAGE.items()} if isinstance(given, dict) else {}
        if any(usage.values()):  # an aborted or failed request was not billed
            billed = Recorded(len(self._messages), self._model, usage, text_or_none(timestamp), self._thinking)
            self._billed.append(billed)


def _read(rows: Iterable[Row], notes: Notes) -> list[Draft]:
    session = _Session()
    for row in rows:
        if _is_part(row, notes):
            session.add(row)
    session.close()
    return session.drafts


def _is_part(row: Row, notes: Notes) -> bool:
    entry = row.value
    if not isinstance(entry, dict) or not isinstance(entry.get("type"), str):
        flaw = "", "this is no line of a pi log: an object with a type"
    elif entry["type"] == "compaction" and not isinstance(entry.get("summary"), str):
        flaw = "summary", "this compaction holds no summary"
    elif entry["type"] == "message" and not isinstance(entry.get("message"), dict):
        flaw = "message", "this line holds no message"
    elif entry["type"] == "message" and entry["message"].get("role") not in ROLES:
        flaw = "message.role", f"this role is none of {', '.join(ROLES)}"
    else:
        content = entry["message"].get("content") if entry["type"] == "message" else None
        return content_is_sound(content, row, "message.content", notes)
    notes.malformed(row.place(flaw[0]), flaw[1], "remove the line")
    return False


def _message(message: dict[str, Any]) -> Message:
    role, content = message["role"], message.get("content")
    blocks = [_block(block) for block in content] if isinstance(content, list) else content
    if role == "toolResult":
        result = {"type": "tool_result", "tool_use_id": message.get("toolCallId"), "content": blocks}
        return {"role": "user", "content": [{**result, "is_error": True} if message.get("isError") else result]}
    if role == "bashExecution":
        return {
            "role": "user",
            "content": f"Ran `{message.get('command')}`:\n\n{message.get('output') or '(no output)'}",
        }
    return {"role": role, "content": blocks}


def _block(block: dict[str, Any]) -> dict[str, Any]:
    if block["type"] == "toolCall":
        return {"type": "tool_use", "id": block.get("id"), "name": block.get("name"), "input": block.get("arguments")}
    if block["type"] == "thinking":
        return {
            "type": "thinking",
            "thinking": block.get("thinking", ""),
            "signature": block.get("thinkingSignature", ""),
        }
    if block["type"] == "image":
        source = {"type": "base64", "media_type": block.get("mimeType"), "data": block.get("data")}
        return {"type": "image", "source": source}
    return {"type": "text", "text": block["text"]} if block["type"] == "text" else block


PI = Reader("pi", _is_entry, _read)
