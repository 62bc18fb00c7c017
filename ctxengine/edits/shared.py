"""The value types edits and compaction share, named in the API's vocabulary, and the word by which a field merges.

Shapes only: how large or small a number may be is a row of the catalog, judged by a rule.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Generic, Literal, TypeVar

from pydantic import Field, GetJsonSchemaHandler, model_validator
from pydantic_core import CoreSchema

from ctxengine._model import Model

Word = Literal["last", "least", "union", "by_type", "by_place", "by_key"]


@dataclass(frozen=True, slots=True)
class Merge:
    """How a field of two layers becomes one: ``Annotated[T, Merge("union")]``.

    ``last`` the later layer's value stands; ``least`` the smaller number; ``union`` every element of both lists;
    ``by_type``, ``by_place`` and ``by_key`` one entry per edit type, cache place or key, each merged on its own.
    """

    word: Word = "last"
    plugins: Literal["most", "union"] | None = None
    """How a plugin's value joins the policy's; without it a differing value is a conflict."""

    def __get_pydantic_json_schema__(self, core: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {**handler(core), "x-merge": self.word}


class Part(Model):
    """A piece of a policy: a key may be absent, which inherits, but never null."""

    @model_validator(mode="before")
    @classmethod
    def _refuse_null(cls, data: Any) -> Any:
        if isinstance(data, dict):
            nulls = [key for key in cls.model_fields if key in data and data[key] is None]
            if nulls:
                raise ValueError(f"null is no value for {', '.join(nulls)}: leave the key out")
        return data


class InputTokens(Part):
    """An amount of input tokens."""

    type: Literal["input_tokens"]
    value: int
    """Tokens."""


class ToolUses(Part):
    """A number of tool uses."""

    type: Literal["tool_uses"]
    value: int
    """Tool uses."""


class WindowFraction(Part):
    """A share of the model's context window, so that one policy fits models of any size."""

    type: Literal["window_fraction"]
    value: float
    """Share of the window, above 0 and up to 1; the result is rounded down to whole tokens."""
    at_most: int | None = None
    """Tokens the result never exceeds; also the value used where the model's window is unknown."""


class BreakEven(Part):
    """Clear only as much as pays for the cache rewrite it causes, from the model's own cache prices."""

    type: Literal["break_even"]
    requests: int
    """Requests that are expected to follow a clearing; the more follow, the sooner clearing pays."""


class ThinkingTurns(Part):
    """A number of assistant turns that contain thinking."""

    type: Literal["thinking_turns"]
    value: int
    """Turns."""


class All(Part):
    """Everything."""

    type: Literal["all"]


class Turns(Part):
    """A number of conversation turns, counted from the newest."""

    type: Literal["turns"]
    value: int
    """Turns."""


Tokens = Annotated[InputTokens | WindowFraction, Field(discriminator="type")]


T = TypeVar("T")


class Whole(Part, Generic[T]):
    """Replaces what earlier layers listed, where a plain list would add to it."""

    set: list[T]
    """The whole list."""


class Edit(Part):
    """What every entry of ``edits`` has: the edit's type, and the way to take an inherited one out."""

    type: str
    """The edit's type, as the API spells it."""
    drop: bool = False
    """`true` removes the inherited edit; whatever else this entry holds is left out with it."""
