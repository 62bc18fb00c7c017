"""Keeps a project's plan in view: the results of the tools that read it, and the brief in the first message."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ctxengine.catalog import EditFact
from ctxengine.check import Facts, Hit, Rule, rule
from ctxengine.conversation import Conversation, blocks_of
from ctxengine.extension import EditRegistration, WantedBreakpoint, hookimpl
from ctxengine.policy import Resolved
from ctxengine.transcripts import Draft, Notes, Reader, Row

name = "example"


@hookimpl
def ctxengine_contribute_edits(policy: Resolved, config: Mapping[str, Any]) -> list[dict[str, Any]]:
    keep = config.get("keep", [])
    clearing = [kind for kind in policy.get("edits", {}) if kind.startswith("clear_tool_uses_")]
    return [{"type": kind, "exclude_tools": keep} for kind in clearing if keep]


@hookimpl
def ctxengine_contribute_breakpoints(conversation: Conversation) -> list[WantedBreakpoint]:
    if len(conversation.messages) < 2:
        return []
    last = len(blocks_of(conversation.messages[0])) - 1
    return [WantedBreakpoint("messages", 0, last)]


@rule(
    "example-keep-unknown",
    "warning",
    "The plugin example shall keep the results of a tool that the request does not have.",
    help="correct the name under plugins.config.example.keep, or take it out",
    source="docs/plugins.md",
)
def keep_unknown(facts: Facts) -> Iterator[Hit]:
    policy = facts.plan.policy
    setting = f"plugins.config.{name}.keep"
    there = {tool for tool, _ in facts.conversation.tool_kinds}
    for tool in policy.get(setting, []):
        if tool not in there:
            yield Hit(f"no tool is called {tool}", policy.origin(setting))


@hookimpl
def ctxengine_contribute_rules() -> list[Rule]:
    return [keep_unknown]


@hookimpl
def ctxengine_register_edits() -> list[EditRegistration]:
    fact = EditFact(
        type="clear_images_20270101",
        rank=25,
        betas=("clear-images-2027-01-01",),
        feature="clear_edits",
        parameters=("keep",),
        defaults={"keep": {"type": "images", "value": 2}},
        source="a made-up announcement",
        as_of="2027-01-01",
    )
    return [EditRegistration(fact)]


def is_chat(value: Any) -> bool:
    return isinstance(value, dict) and isinstance(value.get("chat"), list)


def read_chats(rows: Iterable[Row], notes: Notes) -> Iterator[Draft]:
    for row in rows:
        messages: list[dict[str, Any]] = []
        for index, said in enumerate(row.value["chat"]):
            if isinstance(said, list) and len(said) == 2 and said[0] in ("user", "assistant"):
                messages.append({"role": said[0], "content": str(said[1])})
            else:
                notes.malformed(row.place(f"chat.{index}"), "this is no pair of role and text", "correct it")
        yield Draft({"messages": messages})


@hookimpl
def ctxengine_transcript_readers() -> list[Reader]:
    return [Reader("example-chat", is_chat, read_chats)]
