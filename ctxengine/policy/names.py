"""Names in a policy that must exist somewhere else: edit types, and the paths of locks."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from ctxengine.findings import did_you_mean, shown
from ctxengine.policy.paths import lockable, lockable_beside

Unknown = tuple[str, str, str]
"""Dotted path, message, help."""


def unknown_names(data: Mapping[str, Any], known_edits: Collection[str] | None) -> Iterator[Unknown]:
    """Edit types nobody knows (where ``known_edits`` says who is), and locks on paths there are none of."""
    for index, path in enumerate(data.get("lock", ())):
        type = path.split(".")[1] if path.startswith("edits.") else None
        if not lockable(path):
            remedy = did_you_mean(path[:60], lockable_beside(path))
            yield f"lock.{index}", f"there is no path {shown(path)} to lock", remedy
        elif type is not None and known_edits is not None and type not in known_edits:
            yield f"lock.{index}", f"there is no edit type {shown(type)}", did_you_mean(type[:60], known_edits)
    if known_edits is not None:
        for path, type in _edit_types(data):
            if type not in known_edits:
                yield f"{path}.type", f"there is no edit type {shown(type)}", did_you_mean(type[:60], known_edits)


def _edit_types(data: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    places = [("", data)] + [(f"overrides.{n}.set.", each["set"]) for n, each in enumerate(data.get("overrides", ()))]
    for prefix, settings in places:
        for index, entry in enumerate(settings.get("edits", ())):
            yield f"{prefix}edits.{index}", entry["type"]
