"""The scripted model: what it says to a request. Echo, recorded turns, or a few rules."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NoReturn, Protocol

from ctxengine.catalog import default_catalog
from ctxengine.conversation import blocks_of, field_of
from ctxengine.emulator.blocks import mistakes
from ctxengine.errors import MalformedInput, TranscriptError
from ctxengine.findings import Finding, Place, shown
from ctxengine.jsontext import read_json
from ctxengine.transcripts import Transcript, read_transcripts

BLANK = b"\xef\xbb\xbf \t\r\n"
"""What may stand before JSON, a byte order mark with it."""
RULE_KEYS = {"when", "tool", "reply", "stop_reason", "output_tokens"}
RULE_MARKS = frozenset({"reply", "when", "tool"})
"""Any of which makes an item of a script a rule."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What the model writes, and what it would write as a summary."""

    content: tuple[Mapping[str, Any], ...]
    summary: str | None = None
    """Of a compaction that takes place before; ``None`` leaves it to the emulator."""
    stop_reason: str | None = None
    """``None``: as the content says."""
    output_tokens: int | None = None
    """``None``: as counted."""


class Silent(Exception):
    """The script has nothing to say to a request; the message tells why."""


class Speaker(Protocol):
    """A model. What it says to a request is not said until ``played``: a fault may keep the answer."""

    def reply(self, request: Mapping[str, Any]) -> Reply:
        """The reply; raises ``Silent`` where there is none."""
        ...

    def played(self) -> None: ...


class Echo:
    """Says what the user said last."""

    def reply(self, request: Mapping[str, Any]) -> Reply:
        return Reply(({"type": "text", "text": last_text(request) or "…"},))

    def played(self) -> None:
        pass


class Turns:
    """One reply after the other."""

    def __init__(self, replies: Sequence[Reply]) -> None:
        self._replies, self._next = replies, 0

    def reply(self, request: Mapping[str, Any]) -> Reply:
        if self._next == len(self._replies):
            raise Silent(f"all of its {len(self._replies)} turns have been played")
        return self._replies[self._next]

    def played(self) -> None:
        self._next += 1


@dataclass(frozen=True, slots=True)
class SayRule:
    """One line of a rule script: it speaks where both of its conditions hold; an absent one always does."""

    when: re.Pattern[str] | None
    """Found in the text of the last user message."""
    tool: str | None
    """The tool whose result came last."""
    reply: Reply

    def fits(self, text: str, tool: str | None) -> bool:
        return (self.when is None or bool(self.when.search(text))) and self.tool in (None, tool)


class Rules:
    """The first rule that fits speaks."""

    def __init__(self, rules: Sequence[SayRule]) -> None:
        self._rules = rules

    def reply(self, request: Mapping[str, Any]) -> Reply:
        text, tool = last_text(request), last_tool(request)
        for rule in self._rules:
            if rule.fits(text, tool):
                return rule.reply
        raise Silent("none of its rules fits")

    def played(self) -> None:
        pass


def speaker_of(script: str | Path | Transcript | Sequence[Any] | None) -> Speaker:
    """The model for a script: a file, a transcript, a list of rules, or a list of replies.

    Raises:
        MalformedInput: ``script-malformed`` with the place, or what the readers of transcripts raise.
    """
    if script is None:
        return Echo()
    if isinstance(script, Transcript):
        return Turns(recorded_turns(script))
    if isinstance(script, (list, tuple)):
        return _of_list(list(script), "script")
    if not isinstance(script, (str, Path)):
        _refuse("script", "", f"a script is a file, a Transcript or a list, not {type(script).__name__}")
    data = Path(script).read_bytes() if Path(script).is_file() else b""
    if data.lstrip(BLANK)[:1] == b"[":
        listed = read_json(data, str(script), rule="script-malformed").value
        if not all(map(_is_chat, listed)):
            return _of_list(listed, str(script))
    try:
        return Turns([turn for each in read_transcripts(script) for turn in recorded_turns(each)])
    except TranscriptError as error:
        also = "a script is a recorded conversation, or a list of rules or of replies: see docs/emulator.md"
        raise TranscriptError(*(replace(each, help=f"{each.help}; {also}") for each in error.findings)) from None


def recorded_turns(transcript: Transcript) -> list[Reply]:
    """The assistant's turns of a recorded conversation, with the output tokens that were billed for them."""
    billed = {entry.messages: entry.usage.get("output_tokens") for entry in transcript.recorded}
    messages = transcript.request["messages"]
    return [
        _turn(message["content"], transcript.name, f"messages.{index}", {"output_tokens": billed.get(index)})
        for index, message in enumerate(messages)
        if message["role"] == "assistant"
    ]


def reply_of(content: Any, *, stop_reason: str | None = None, output_tokens: int | None = None) -> Reply:
    """A reply from a string, a block or blocks; compaction blocks become the summary."""
    given = [content] if isinstance(content, Mapping) else blocks_of({"content": content})
    blocks = [{name: value for name, value in block.items() if name != "cache_control"} for block in given]
    blocks = [block for block in blocks if block["type"] != "text" or block["text"]]
    summaries = [block["content"] for block in blocks if block["type"] == "compaction"]
    rest = tuple(block for block in blocks if block["type"] != "compaction")
    return Reply(rest, summaries[-1] if summaries else None, stop_reason, output_tokens)


def last_text(request: Mapping[str, Any]) -> str:
    """The text of the last user message, that of tool results left out."""
    users = [message for message in request.get("messages") or () if field_of(message, "role") == "user"]
    blocks = blocks_of(users[-1]) if users else ()
    return "\n".join(str(field_of(block, "text") or "") for block in blocks if field_of(block, "type") == "text")


def last_tool(request: Mapping[str, Any]) -> str | None:
    """The name of the tool whose result is the last one of the last message."""
    messages = request.get("messages") or ()
    ids = [field_of(block, "tool_use_id") for block in (blocks_of(messages[-1]) if messages else ())]
    names = {field_of(block, "id"): field_of(block, "name") for message in messages for block in blocks_of(message)}
    return next((names[id] for id in reversed(ids) if id is not None and id in names), None)


def _of_list(items: list[Any], name: str) -> Speaker:
    ruled = [isinstance(item, dict) and not RULE_MARKS.isdisjoint(item) for item in items]
    if any(ruled):
        if not all(ruled):
            _refuse(
                name, str(ruled.index(False)), "this is no rule, where others are: give every item a reply, or none"
            )
        return Rules([_rule(item, name, str(index)) for index, item in enumerate(items)])
    return Turns(
        [item if isinstance(item, Reply) else _turn(item, name, str(index)) for index, item in enumerate(items)]
    )


def _is_chat(item: Any) -> bool:
    """Whether this is a message of a recorded chat, and not a whole message of the API's."""
    return isinstance(item, dict) and "role" in item and item.get("type") != "message"


def _rule(item: Mapping[str, Any], name: str, index: str) -> SayRule:
    for key in item:
        if key not in RULE_KEYS:
            known = ", ".join(sorted(RULE_KEYS))
            _refuse(name, index, f"a rule has no key {shown(str(key))}; the known ones are {known}")
    if "reply" not in item:
        _refuse(name, index, "this rule has no reply")
    try:
        when = re.compile(item["when"]) if "when" in item else None
    except (re.error, TypeError, OverflowError, RecursionError) as error:
        why = f": {error.msg}" if isinstance(error, re.error) else ""
        _refuse(name, f"{index}.when", f"this is no regular expression{why}")
    if not isinstance(item.get("tool", ""), str):
        _refuse(name, f"{index}.tool", "this is no name of a tool")
    return SayRule(when, item.get("tool"), _turn(item["reply"], name, index, item))


def _turn(content: Any, name: str, index: str, more: Mapping[str, Any] | None = None) -> Reply:
    """A turn as text, as a block, as blocks, or as a whole message of the API's."""
    more = more or {}
    if isinstance(content, Mapping) and "content" in content and content.get("type") in (None, "message"):
        usage = content.get("usage") or {}
        if not isinstance(usage, Mapping):
            _refuse(name, f"{index}.usage", "this is no usage of a message")
        more = {"stop_reason": content.get("stop_reason"), "output_tokens": usage.get("output_tokens"), **more}
        content = content["content"]
    if not isinstance(content, str):
        blocks = content if isinstance(content, (list, tuple)) else [content]
        for at, (field, why) in ((at, each) for at, block in enumerate(blocks) for each in mistakes(block)):
            _refuse(name, ".".join(filter(None, (f"{index}.content.{at}", field))), why)
        _check_json([dict(block) for block in blocks], name, index)
    reason, tokens = more.get("stop_reason"), more.get("output_tokens")
    if reason is not None and str(reason) not in default_catalog().vocabulary["stop_reasons"]:
        _refuse(name, f"{index}.stop_reason", "this is no reason to stop")
    if tokens is not None and (not isinstance(tokens, int) or isinstance(tokens, bool) or tokens < 0):
        _refuse(name, f"{index}.output_tokens", "this is no number of tokens")
    return reply_of(content, stop_reason=reason, output_tokens=tokens)


def _check_json(blocks: Sequence[Mapping[str, Any]], name: str, index: str) -> None:
    """What Python writes down may hold what JSON cannot."""
    try:
        json.dumps(blocks, allow_nan=False)
    except (TypeError, ValueError, RecursionError):
        _refuse(name, index, "this cannot be written as JSON")


def _refuse(name: str, path: str, message: str) -> NoReturn:
    raise MalformedInput(Finding("script-malformed", "error", message, "see docs/emulator.md", Place(path, file=name)))
