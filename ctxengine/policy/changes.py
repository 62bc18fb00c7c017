"""What a piece of policy asks for, as single changes in normal form, in document order."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, get_args

from pydantic import BaseModel

from ctxengine.edits import AS_COMPACTION, EDITS, Merge
from ctxengine.findings import Finding
from ctxengine.origin import Origin
from ctxengine.policy.document import Place, Settings
from ctxengine.policy.words import COMPACT, LAST, part_of, words_of

EditWords = Mapping[str, Mapping[str, str]]
"""Edit type → field → merge word, for types that are rows of the catalog only."""


@dataclass(frozen=True, slots=True)
class Change:
    """One thing to be done to one path: ``merge`` the value in, put it there ``whole``, ``drop`` what is there, or
    see to it that an object is ``present``."""

    path: tuple[str, ...]
    value: Any
    origin: Origin
    merge: Merge = LAST
    act: Literal["merge", "whole", "drop", "present"] = "merge"


def below(origin: Origin, key: str | int) -> Origin:
    """The origin of a value inside the one given."""
    return replace(origin, path=f"{origin.path}.{key}" if origin.path else str(key))


def changes(settings: Mapping[str, Any], origin: Origin, edit_words: EditWords) -> Iterator[Change]:
    """The changes a layer's plain values, or one override's ``set``, ask for."""
    for change in _fields(settings, Settings, (), origin, edit_words):
        pasted = change.path[0] == "compaction" and not change.origin.path.startswith(below(origin, "compaction").path)
        if not (pasted and "compaction" in settings):
            yield change


def contradictions(settings: Mapping[str, Any], origin: Origin) -> Iterator[Finding]:
    """Where one layer contradicts itself: an edit that stands twice, compaction asked for in two ways."""
    seen: dict[str, int] = {}
    for index, entry in enumerate(settings.get("edits", ())):
        type, here = entry["type"], below(below(origin, "edits"), index)
        elsewhere = below(origin, "compaction").path
        if type == COMPACT and "compaction" in settings:
            yield Finding(
                "policy-conflict",
                "error",
                f"compaction is asked for twice, by this edit and by {elsewhere}; the edit is not used",
                "keep one of the two: the edit is the same as compaction with mode threshold",
                here.place,
            )
        if type in seen and not entry.get("drop"):
            message = f"{type} stands twice in one layer: here and in edits.{seen[type]}"
            yield Finding("edit-dup", "error", message, "make one entry of the two", here.place)
        if not entry.get("drop"):
            seen.setdefault(type, index)


def edit_changes(edits: Sequence[Any], origin: Origin, edit_words: EditWords) -> Iterator[Change]:
    """The changes a list of edits asks for; entries that are no edits are left to the rules that judge them."""
    for index, entry in enumerate(edits):
        type = entry.get("type") if isinstance(entry, Mapping) else None
        if isinstance(type, str):
            here = below(origin, index)
            made = _compaction(entry, here) if type == COMPACT else _edit(type, entry, here, edit_words.get(type, {}))
            yield from made


def _edit(type: str, entry: Mapping[str, Any], origin: Origin, words: Mapping[str, str]) -> Iterator[Change]:
    path = ("edits", type)
    if entry.get("drop") is True:
        yield Change(path, None, origin, act="drop")
        return
    yield Change(path, {}, origin, act="present")
    modelled = words_of(EDITS[type]) if type in EDITS else {}
    for key, value in _said(entry):
        yield _leaf((*path, key), value, below(origin, key), modelled.get(key) or _merge(words.get(key, "last")))


def _merge(word: str) -> Merge:
    return {"union": Merge("union", "union"), "least": Merge("least"), "most": Merge("last", "most")}.get(word, LAST)


def _compaction(entry: Mapping[str, Any], origin: Origin) -> Iterator[Change]:
    dropped = entry.get("drop") is True
    yield Change(("compaction",), {}, origin, act="present")
    yield Change(("compaction", "mode"), "off" if dropped else "threshold", origin)
    for key, value in _said(entry):
        if not dropped:
            yield Change(("compaction", AS_COMPACTION.get(key, key)), value, below(origin, key))


def _said(entry: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """An edit's fields; null, which the API takes for "the default", says nothing."""
    return ((key, value) for key, value in entry.items() if key not in ("type", "drop") and value is not None)


def _leaf(path: tuple[str, ...], value: Any, origin: Origin, merge: Merge) -> Change:
    if merge.word in ("union", "by_place") and isinstance(value, Mapping) and isinstance(value.get("set"), list):
        return Change(path, list(value["set"]), below(origin, "set"), merge, act="whole")
    return Change(path, list(value) if isinstance(value, (list, tuple)) else value, origin, merge)


def _fields(
    values: Mapping[str, Any], model: type[BaseModel], at: tuple[str, ...], origin: Origin, edit_words: EditWords
) -> Iterator[Change]:
    words = words_of(model)
    for key, value in values.items():
        if key not in words:
            continue
        path, here, section = (*at, key), below(origin, key), part_of(model, key)
        if words[key].word == "by_type":
            yield from edit_changes(value, here, edit_words)
        elif section is not None:
            yield Change(path, {}, here, act="present")
            yield from _fields(value, section, path, here, edit_words)
        elif words[key].word == "by_key":
            yield from _free(value, path, here)
        elif words[key].word == "by_place" and not isinstance(value, list) and "set" not in value:
            yield from _by_place(value, path, here)
        else:
            yield _leaf(path, value, here, words[key])


def _by_place(value: Any, path: tuple[str, ...], origin: Origin) -> Iterator[Change]:
    if isinstance(value, str):
        yield from (Change((*path, place), value, origin) for place in get_args(Place))
    else:
        yield from (Change((*path, place), one, below(origin, place)) for place, one in value.items())


def _free(value: Any, path: tuple[str, ...], origin: Origin) -> Iterator[Change]:
    """An object of the user's own making, by JSON Merge Patch: objects join, null removes, the rest replaces."""
    if value is None:
        yield Change(path, None, origin, act="drop")
    elif isinstance(value, Mapping):
        yield Change(path, {}, origin, act="present")
        for key, inner in value.items():
            yield from _free(inner, (*path, key), below(origin, key))
    else:
        yield Change(path, value, origin, act="whole")
