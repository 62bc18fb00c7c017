"""Paths a lock can name, read off the schema."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ctxengine.edits import AS_COMPACTION, EDITS
from ctxengine.policy.schema import policy_schema
from ctxengine.policy.words import COMPACT

SETTINGS = {"$ref": "#/$defs/Settings"}
NO_VALUES = frozenset({"set", "drop", "$comment"})
"""Keys that say how to merge, or nothing; they are no values that could be locked."""


def lockable(path: str) -> bool:
    """Whether a dotted path names something a policy can say."""
    return bool(_schemas_at(path.split(".")))


def lockable_beside(path: str) -> list[str]:
    """The paths that can stand in its place, for a "did you mean"."""
    parents = path.split(".")
    schemas: list[Any] = []
    while parents and not schemas:
        parents.pop()
        schemas = _schemas_at(parents)
    names = {name for schema in schemas for name, _ in _children(schema) if name}
    if parents == ["edits"]:
        names = set(EDITS)
    return [".".join([*parents, name]) for name in sorted(names)]


def lock_path(path: str) -> str:
    """A locked path in normal form: what is said of the compaction edit is said of ``compaction``."""
    head, *rest = path.split(".")
    if head != "edits" or rest[:1] != [COMPACT]:
        return path
    return ".".join(["compaction", *(AS_COMPACTION[key] for key in rest[1:2]), *rest[2:]])


def _schemas_at(parts: list[str]) -> list[Any]:
    if parts[:1] == ["edits"] and len(parts) > 1:
        found = [{"$ref": f"#/$defs/{EDITS[parts[1]].__name__ if parts[1] in EDITS else 'OpaqueEdit'}"}]
        parts = parts[2:]
    else:
        found = [SETTINGS]
    for part in parts:
        found = [child for schema in found for name, child in _children(schema) if name in (part, None) and part]
    return found


def _children(schema: Any) -> Iterator[tuple[str | None, Any]]:
    """Names an object can have, with their schemas; ``None`` stands for any name."""
    if not isinstance(schema, dict):
        yield None, True
        return
    if "$ref" in schema:
        yield from _children(policy_schema()["$defs"][schema["$ref"].rpartition("/")[2]])
    for branch in [*schema.get("anyOf", ()), *(rule["then"] for rule in schema.get("allOf", ()))]:
        yield from _children(branch)
    yield from ((name, child) for name, child in schema.get("properties", {}).items() if name not in NO_VALUES)
    if schema.get("type") == "object" and schema.get("additionalProperties"):
        yield None, schema["additionalProperties"]
