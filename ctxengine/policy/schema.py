"""The JSON Schema of a policy, generated from the models: one source for the gate, the editor and the docs."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from ctxengine.policy.document import Policy

DRAFT = "https://json-schema.org/draft/2020-12/schema"
SCHEMA_KEY = {"type": "string", "description": "Where editors find this schema; ignored."}
INLINE = "Whole"
"""Models whose generated names nobody wants to read stand in the schema where they are used."""
COMMENT = {"description": "A note for readers; ignored."}


@cache
def policy_schema() -> dict[str, Any]:
    """The schema, draft 2020-12. Shared: treat it as read-only."""
    made = Policy.model_json_schema()
    parts = made.pop("$defs")
    schema = {"$schema": DRAFT, "title": "ctxengine policy, version 1", **_tidied(made, parts)}
    schema["properties"] = {"$schema": SCHEMA_KEY, **schema["properties"]}
    named = {name: _tidied(part, parts) for name, part in parts.items() if not name.startswith(INLINE)}
    return {**schema, "$defs": named}


def _tidied(schema: Any, parts: Mapping[str, Any]) -> Any:
    """A schema without what pydantic adds and no reader needs, tagged unions as ``if``/``then`` per tag."""
    if isinstance(schema, list):
        return [_tidied(item, parts) for item in schema]
    if not isinstance(schema, dict):
        return schema
    if schema.get("$ref", "").startswith(f"#/$defs/{INLINE}"):
        return _tidied(referred(schema, parts), parts)
    kept = {key: value for key, value in schema.items() if key not in ("title", "properties", "discriminator")}
    tidy = {key: _tidied(value, parts) for key, value in kept.items() if (key, value) != ("default", None)}
    if "properties" in schema:
        tidy["properties"] = {name: _tidied(value, parts) for name, value in schema["properties"].items()}
    if "oneOf" in tidy:
        tidy |= _by_tag(tidy.pop("oneOf"), parts)
    if "const" in tidy or "enum" in tidy:
        tidy.pop("type", None)
    if "description" in tidy:
        tidy["description"] = " ".join(tidy["description"].split())
    return _with_comment(_without_null(tidy))


def referred(reference: Mapping[str, Any], parts: Mapping[str, Any]) -> Any:
    """What a ``$ref`` stands for."""
    return parts[reference["$ref"].rpartition("/")[2]]


def _with_comment(schema: dict[str, Any]) -> dict[str, Any]:
    """Every object may have a ``$comment``; one whose keys come from a closed list spells them out."""
    if "additionalProperties" not in schema:
        return schema
    keys = schema.pop("propertyNames", {}).get("enum")
    if keys:
        schema["properties"] = dict.fromkeys(keys, schema["additionalProperties"])
        schema["additionalProperties"] = False
    schema["properties"] = {**schema.get("properties", {}), "$comment": COMMENT}
    return schema


def _without_null(schema: dict[str, Any]) -> dict[str, Any]:
    """pydantic spells "may be absent" as "may be null", which a policy may not be."""
    branches = [branch for branch in schema.get("anyOf", ()) if branch != {"type": "null"}]
    if len(branches) == 1:
        only = schema.pop("anyOf") and branches[0]
        return {**only, **schema}
    return {**schema, "anyOf": branches} if branches else schema


def _by_tag(branches: list[Any], parts: Mapping[str, Any]) -> dict[str, Any]:
    """A union told apart by ``type``: the tags as an enum, then one ``if``/``then`` per tag.

    A branch whose ``type`` is any string takes the tags the others leave over, so that there is no enum.
    """
    tagged: dict[str, Any] = {}
    others: list[Any] = []
    nested = [rule for branch in branches for rule in branch.get("allOf", ())]
    for branch in [rule["then"] for rule in nested] + [branch for branch in branches if "$ref" in branch]:
        tag = referred(branch, parts)["properties"]["type"].get("const")
        if tag is None:
            others.append(branch)
        else:
            tagged[tag] = branch
    rules = [{"if": _type_is({"const": tag}), "then": branch} for tag, branch in tagged.items()]
    rules += [{"if": {"not": _type_is({"enum": list(tagged)})}, "then": branch} for branch in others]
    tags = {"type": "string", "examples": list(tagged)} if others else {"enum": list(tagged)}
    return {"type": "object", "required": ["type"], "properties": {"type": tags}, "allOf": rules}


def _type_is(condition: dict[str, Any]) -> dict[str, Any]:
    return {"required": ["type"], "properties": {"type": condition}}
