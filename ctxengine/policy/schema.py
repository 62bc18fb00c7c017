"""The JSON Schema of a policy, generated from the models: one source for the gate, the editor and the docs."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from ctxengine.policy.document import Policy

DRAFT = "https://json-schema.org/draft/2020-12/schema"
COMMENT = {"description": "A note for readers; ignored."}


@cache
def policy_schema() -> dict[str, Any]:
    """The schema, draft 2020-12. Shared: treat it as read-only."""
    made = Policy.model_json_schema()
    definitions = made.pop("$defs")
    schema = {"$schema": DRAFT, "title": "ctxengine policy, version 1", **_tidied(made, definitions)}
    schema["properties"] = {"$schema": {"type": "string", "description": "Where editors find this schema; ignored."}, **schema["properties"]}
    return {**schema, "$defs": {name: _tidied(part, definitions) for name, part in definitions.items()}}


def _tidied(schema: Any, definitions: Mapping[str, Any]) -> Any:
    """A schema without what pydantic adds and no reader needs, tagged unions as ``if``/``then`` per tag."""
    if isinstance(schema, list):
        return [_tidied(item, definitions) for item in schema]
    if not isinstance(schema, dict):
        return schema
    kept = {key: value for key, value in schema.items() if key != "title" and (key, value) != ("default", None)}
    properties = kept.pop("properties", None)
    tidy = {key: _tidied(value, definitions) for key, value in kept.items()}
    if "oneOf" in tidy:
        tidy |= _by_tag(tidy.pop("oneOf"), definitions)
    tidy.pop("discriminator", None)
    if properties is not None:
        described = {name: _tidied(value, definitions) for name, value in properties.items()}
        tidy["properties"] = {**described, "$comment": COMMENT}
    if "description" in tidy:
        tidy["description"] = " ".join(str(tidy["description"]).split())
    return _without_null(tidy)


def _without_null(schema: dict[str, Any]) -> dict[str, Any]:
    """pydantic spells "may be absent" as "may be null", which a policy may not be."""
    branches = [branch for branch in schema.get("anyOf", ()) if branch != {"type": "null"}]
    if len(branches) == 1:
        only = schema.pop("anyOf") and branches[0]
        return {**only, **schema}
    return {**schema, "anyOf": branches} if branches else schema


def _by_tag(branches: list[Any], definitions: Mapping[str, Any]) -> dict[str, Any]:
    """A union told apart by ``type``: the tags as an enum, then one ``if``/``then`` per tag.

    A branch whose ``type`` is any string takes the tags the others leave over, so that there is no enum.
    """
    tagged: dict[str, Any] = {}
    others: list[Any] = []
    nested = [rule for branch in branches for rule in branch.get("allOf", ())]
    for branch in [rule["then"] for rule in nested] + [branch for branch in branches if "$ref" in branch]:
        tag = definitions[branch["$ref"].rpartition("/")[2]]["properties"]["type"].get("const")
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
