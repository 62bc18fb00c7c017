"""The JSON Schema of transcript.v1, our own format for a recorded conversation."""

from __future__ import annotations

from typing import Any

from ctxengine.transcripts.messages import VERSION
from ctxengine.transcripts.reading import ROLES


def transcript_schema() -> dict[str, Any]:
    """The schema as plain JSON (draft 2020-12); committed as ``schemas/transcript.v1.schema.json``."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "ctxengine transcript, version 1",
        "description": "A recorded conversation: the whole request, and what the API billed on the way.",
        "type": "object",
        "properties": {
            "$schema": {"type": "string"},
            "version": {"const": VERSION},
            "name": {"type": "string", "description": "What reports call this conversation."},
            "description": {"type": "string", "description": "What happens in it and how it was recorded."},
            "request": _request(),
            "recorded": {"type": "array", "items": _recorded(), "description": "One entry for each response."},
        },
        "required": ["version", "request"],
        "additionalProperties": False,
    }


def _request() -> dict[str, Any]:
    return {
        "type": "object",
        "description": "Keyword arguments of messages.create, with all messages.",
        "properties": {"messages": {"type": "array", "items": _message()}},
        "required": ["messages"],
    }


def _message() -> dict[str, Any]:
    block = {"type": "object", "properties": {"type": {"type": "string"}}, "required": ["type"]}
    return {
        "type": "object",
        "properties": {"role": {"enum": list(ROLES)}, "content": {"type": ["string", "array", "null"], "items": block}},
        "required": ["role", "content"],
    }


def _recorded() -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {
            "messages": {"type": "integer", "minimum": 1, "description": "How many messages were sent."},
            "model": {"type": ["string", "null"], "description": "The model that answered."},
            "usage": {"type": "object", "description": "The response's usage, in tokens."},
            "timestamp": {"type": ["string", "null"], "description": "When it answered, ISO 8601."},
        },
        "required": ["messages", "usage"],
        "additionalProperties": False,
    }
