"""The merge word of each key of a policy, read off the models."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import get_args

from pydantic import BaseModel

from ctxengine.edits import Compact, Merge, type_of

LAST = Merge("last")
COMPACT = type_of(Compact)


@cache
def words_of(model: type[BaseModel]) -> Mapping[str, Merge]:
    """The merge word of each field of a model."""
    return {
        name: next((mark for mark in field.metadata if isinstance(mark, Merge)), LAST)
        for name, field in model.model_fields.items()
    }


@cache
def part_of(model: type[BaseModel], key: str) -> type[BaseModel] | None:
    """The model of a section such as ``compaction``; ``None`` where the key holds anything else."""
    if words_of(model)[key].word != "by_key":
        return None
    branches = get_args(model.model_fields[key].annotation)
    return next((branch for branch in branches if isinstance(branch, type) and issubclass(branch, BaseModel)), None)
