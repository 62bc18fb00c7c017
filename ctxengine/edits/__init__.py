"""The API's context edits: one model per edit, plus one for those that are only rows of the catalog.

A new edit is its module and one line here; without them a catalog row is enough to send it as ``OpaqueEdit``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, get_args

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag

from ctxengine.edits.clear_thinking import ClearThinking
from ctxengine.edits.clear_tool_uses import ClearToolUses
from ctxengine.edits.compact import AS_COMPACTION, Compact
from ctxengine.edits.shared import Edit, Merge


class OpaqueEdit(Edit):
    """An edit the catalog or a plugin knows and this version does not model: its fields pass as they are."""

    model_config = ConfigDict(extra="allow")


def type_of(model: type[BaseModel]) -> str:
    """The edit type a model stands for."""
    return str(get_args(model.model_fields["type"].annotation)[0])


Modelled = ClearThinking | ClearToolUses | Compact
EDITS: Mapping[str, type[Edit]] = {type_of(model): model for model in get_args(Modelled)}


def _tag(entry: Any) -> str:
    type = entry.get("type") if isinstance(entry, Mapping) else getattr(entry, "type", None)
    return "modelled" if isinstance(type, str) and type in EDITS else "opaque"


AnyEdit = Annotated[
    Annotated[Annotated[Modelled, Field(discriminator="type")], Tag("modelled")] | Annotated[OpaqueEdit, Tag("opaque")],
    Discriminator(_tag),
]

__all__ = [
    "AS_COMPACTION",
    "EDITS",
    "AnyEdit",
    "ClearThinking",
    "ClearToolUses",
    "Compact",
    "Edit",
    "Merge",
    "OpaqueEdit",
    "type_of",
]
