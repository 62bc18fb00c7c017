"""Which merge word each key of a policy has, read off the models, and which paths a lock can name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, get_args

from pydantic import BaseModel

from ctxengine.edits import AS_COMPACTION, EDITS, Compact, Merge, type_of
from ctxengine.policy.document import Policy, Settings

LAST = Merge("last")
COMPACT = type_of(Compact)
NOT_LOCKABLE = frozenset({"version", "name", "description", "extends", "overrides", "lock"})


@cache
def words_of(model: type[BaseModel]) -> Mapping[str, Merge]:
    """The merge word of each field of a model."""
    return {
        name: next((mark for mark in field.metadata if isinstance(mark, Merge)), LAST)
        for name, field in model.model_fields.items()
    }


@cache
def part_of(model: type[BaseModel], key: str) -> type[BaseModel] | None:
    """The model of a section such as ``compaction``; ``None`` where the key holds something else."""
    found = list(_models(model.model_fields[key].annotation)) if key in model.model_fields else []
    return found[0] if len(found) == 1 and words_of(model)[key].word == "by_key" else None


def lockable(path: str) -> bool:
    """Whether a dotted path names something a policy can say."""
    head, *rest = path.split(".")
    if head in NOT_LOCKABLE or head not in Policy.model_fields:
        return False
    if head == "edits" and rest:
        return bool(rest[0]) and (rest[0] not in EDITS or _known(EDITS[rest[0]], rest[1:], without={"type", "drop"}))
    return not rest or any(_known(model, rest) for model in _inside(Settings, head)) or _names_key(Settings, head, rest)


def lock_path(path: str) -> str:
    """A locked path in normal form: what is said of the compaction edit is said of ``compaction``."""
    head, *rest = path.split(".")
    if head != "edits" or not rest or rest[0] != COMPACT:
        return path
    return ".".join(["compaction", *(AS_COMPACTION.get(key, key) for key in rest[1:2]), *rest[2:]])


def known_keys(path: str) -> list[str]:
    """Names that can stand where the last part of a lock path stands, for a "did you mean"."""
    *parents, _ = path.split(".")
    if not parents:
        return sorted(set(Settings.model_fields))
    if parents[0] == "edits":
        found = EDITS.values() if len(parents) == 1 else [EDITS[parents[1]]] if parents[1] in EDITS else []
        names = EDITS if len(parents) == 1 else {name for model in found for name in model.model_fields}
    else:
        names = {name for model in _inside(Settings, parents[0]) for name in model.model_fields}
    return [".".join([*parents, name]) for name in sorted(names)]


def _known(model: type[BaseModel], rest: list[str], without: set[str] = frozenset()) -> bool:  # type: ignore[assignment]
    if not rest:
        return True
    key, *deeper = rest
    if key not in model.model_fields or key in without:
        return False
    return not deeper or any(_known(inner, deeper) for inner in _inside(model, key)) or _names_key(model, key, deeper)


def _names_key(model: type[BaseModel], key: str, rest: list[str]) -> bool:
    """Whether the key holds an object with keys of the user's choice, or of a closed list that names this one."""
    for annotation in _branches(model.model_fields[key].annotation):
        if getattr(annotation, "__origin__", None) is dict:
            names = get_args(get_args(annotation)[0])
            return rest[0] in names and len(rest) == 1 if names else True
    return False


def _inside(model: type[BaseModel], key: str) -> Iterator[type[BaseModel]]:
    return _models(model.model_fields[key].annotation) if key in model.model_fields else iter(())


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    for branch in _branches(annotation):
        if isinstance(branch, type) and issubclass(branch, BaseModel):
            yield branch


def _branches(annotation: Any) -> Iterator[Any]:
    """The members of a union, through ``Annotated`` and nested unions; not what lists and dicts hold."""
    if hasattr(annotation, "__metadata__"):
        yield from _branches(annotation.__origin__)
    elif isinstance(annotation, type) or getattr(annotation, "__origin__", None) in (dict, list):
        yield annotation
    else:
        members = get_args(annotation)
        for member in members:
            yield from _branches(member)
