"""Shapes of an edit's fields on the wire, and the API's words for one that does not fit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ctxengine.errors import RequestError
from ctxengine.findings import Finding, Place

AMOUNTS: Mapping[str, Sequence[str]] = {
    "trigger": ("input_tokens", "tool_uses"),
    "keep": ("tool_uses", "thinking_turns", "all"),
    "clear_at_least": ("input_tokens",),
}
"""What the fields that hold an amount may be an amount of."""
LISTS = ("exclude_tools", "clear_tool_inputs")
AMOUNT = ("type", "value")
EXTRA = "Extra inputs are not permitted"
OTHER_SHAPE = "Input does not match the expected shape."


def shape_of(value: Any, field: str) -> str:
    """What the API says of a field's value; "" where its shape is right."""
    if field in AMOUNTS and value is not None and value != "all":
        if not isinstance(value, Mapping):
            return "Input should be an object"
        if any(key not in AMOUNT for key in value):
            return EXTRA
        return "" if value.get("type") in AMOUNTS[field] and _is_amount(value) else OTHER_SHAPE
    if field not in LISTS or value is None or (field == "clear_tool_inputs" and isinstance(value, bool)):
        return ""
    if not isinstance(value, (list, tuple)):
        return "Input should be a valid array" if field == "exclude_tools" else OTHER_SHAPE
    return "" if all(isinstance(name, str) for name in value) else OTHER_SHAPE


def refuse_odd_shapes(params: Mapping[str, Any], path: str) -> None:
    """Raises ``RequestError`` at the first field whose shape the API refuses; ``path`` leads to the edit."""
    for field in (*AMOUNTS, *LISTS):
        wrong = shape_of(params.get(field), field)
        if wrong:
            rule = "edit-keep-neg" if field in AMOUNTS else "edit-inputs-type"
            help = "write the field as the API's reference shows it; ctxengine check judges the whole request"
            raise RequestError(Finding(rule, "error", wrong, help, Place(f"{path}.{field}")))


def _is_amount(value: Mapping[str, Any]) -> bool:
    number = value.get("value")
    return value["type"] == "all" or (isinstance(number, int) and not isinstance(number, bool) and number >= 0)
