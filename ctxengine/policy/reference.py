"""The policy's keys as a page: ``docs/policy-reference.md`` is this text, committed."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from ctxengine.policy.schema import policy_schema

HEAD = """# Policy reference

Every key of a policy, generated from its schema. What the keys mean together stands in [policy.md](policy.md). Only
`version` is required at the top; an absent key inherits. Every object may also hold a `$comment`.

*Merges by* is what becomes of a value that an earlier layer has set too:

| word | what stands |
|---|---|
| `last` | the later layer's value, whole |
| `least` | the smaller number |
| `union` | the elements of both lists; `{"set": […]}` replaces the list instead |
| `by_key` | one value per key, each merged by its own word |
| `by_type` | one edit per type, its fields merged by their own words; `"drop": true` takes an inherited edit out |
| `by_place` | as `union` for a list of places, as `last` for each place of an object |
"""
PLAIN = {"string": "string", "boolean": "true or false", "integer": "whole number", "number": "number"}


def policy_markdown() -> str:
    """One table of keys for each section of a policy, each edit type and each kind of amount."""
    schema = policy_schema()
    parts = schema["$defs"]
    settings = parts["Settings"]["properties"]
    edits = [each["then"]["$ref"].rpartition("/")[2] for each in settings["edits"]["items"]["allOf"]]
    amounts = [name for name in parts if name not in edits and "const" in parts[name]["properties"].get("type", {})]
    others = [name for name in parts if name not in ("Settings", *edits, *amounts)]
    own = {key: value for key, value in schema["properties"].items() if key == "$comment" or key not in settings}
    sections = [
        *_section("document", {**schema, "properties": own}, parts),
        *_section("settings", parts["Settings"], parts),
    ]
    for title, names in (("Sections", others), ("Edit types", edits), ("Amounts", amounts)):
        sections.append(f"## {title}\n")
        for name in names:
            sections += _section(_title(name, parts), parts[name], parts, level="###")
    return "\n".join((HEAD, *sections))


def _section(title: str, part: Mapping[str, Any], parts: Mapping[str, Any], level: str = "##") -> Iterator[str]:
    yield f"{level} {title}\n"
    yield f"{part['description']}\n"
    yield "| key | type | merges by | meaning |"
    yield "|---|---|---|---|"
    for key, value in part["properties"].items():
        if key != "$comment":
            required = ", required" if key in part.get("required", ()) else ""
            word = f"`{value['x-merge']}`" if "x-merge" in value else ""
            yield f"| `{key}` | {_type(value, parts)}{required} | {word} | {value.get('description', '')} |"
    yield ""


def _title(name: str, parts: Mapping[str, Any]) -> str:
    """A part is called what its ``type`` says, else after its model."""
    said = parts[name]["properties"].get("type", {}).get("const")
    return str(said or re.sub(r"(?<=.)(?=[A-Z])", " ", name).lower())


def _type(schema: Any, parts: Mapping[str, Any]) -> str:
    """A schema in few words, with links to the parts it names."""
    if "$ref" in schema:
        title = _title(schema["$ref"].rpartition("/")[2], parts)
        return f"[{title}](#{title.replace(' ', '-')})"
    if "const" in schema:
        return f'`"{schema["const"]}"`'
    if "enum" in schema:
        return ", ".join(f"`{word}`" for word in schema["enum"])
    branches = schema.get("anyOf") or [rule["then"] for rule in schema.get("allOf", ())]
    if branches:
        return " or ".join(_type(branch, parts) for branch in branches)
    if schema["type"] == "array":
        items = _type(schema["items"], parts)
        return f"list of {items}s" if items in PLAIN.values() else f"list of {items}"
    return PLAIN.get(schema["type"]) or _object(schema, parts)


def _object(schema: Mapping[str, Any], parts: Mapping[str, Any]) -> str:
    if "set" in schema["properties"]:
        return '`{"set": […]}`'
    keys = [f"`{key}`" for key in schema["properties"] if key != "$comment"]
    return f"object with any of {', '.join(keys)}" if keys else "object"
