"""The shapes of requests as the installed SDK's types have them: what ``ctxengine/shapes/request.json`` holds.

Alternatives are sorted: ``typing`` takes those of a union or a literal in the order of whichever was made first.

``python -m tests.shapes.sdk`` writes the file anew, after a release of the SDK.
"""

from __future__ import annotations

import collections.abc
import datetime as dt
import json
import os
import types
import typing
from typing import Any, get_args, get_origin, get_type_hints

import anthropic
import typing_extensions
from anthropic.types.beta.message_create_params import MessageCreateParamsBase

from ctxengine.shapes import FILE

WRAPPERS = (
    typing.Annotated, typing.NotRequired, typing.Required, typing_extensions.NotRequired, typing_extensions.Required,
)  # fmt: skip
REQUIRED = (typing.Required, typing_extensions.Required)
PLAIN = {
    str: "string", bool: "boolean", int: "integer", float: "number", type(None): "null", object: "any", Any: "any",
    dt.datetime: "string",
}  # fmt: skip
FILES = (typing.IO[bytes], os.PathLike)
"""What the SDK reads into a string before it sends it."""
AS = {"configs": "object", "edits": "any", "model": "string"}
"""Fields that are told no further: settings of single browser and computer tools, edits, which are for the rules as the
catalog may know more of them, and an open list of names."""
NULLABLE = {"BetaToolUseBlockParam": "caller"}
"""A field that may be null in the SDK's block of a response, and not in its type of a request: a rule tells where the
API takes it."""
HEADERS = ("betas", "user_profile_id", "workspace_id")
"""Arguments of the SDK's method that are no fields of the body."""


def shapes() -> dict[str, Any]:
    """Each TypedDict that a request may hold, by name; the request itself is ``Request``."""
    found: dict[str, Any] = {}
    request = _fields(MessageCreateParamsBase, found)
    request["fields"] = {name: kind for name, kind in request["fields"].items() if name not in HEADERS}
    request["fields"]["stream"] = "boolean"
    return {"Request": request, **dict(sorted(found.items()))}


def _fields(params: Any, found: dict[str, Any]) -> dict[str, Any]:
    hints = get_type_hints(params, include_extras=True)
    required = sorted(name for name, hint in hints.items() if get_origin(hint) in REQUIRED)
    kinds = {name: AS.get(name) or _kind(hint, found) for name, hint in sorted(hints.items())}
    if nullable := NULLABLE.get(params.__name__):
        kinds[nullable] = sorted([*kinds[nullable], "null"])
    return {"required": required, "fields": kinds} if required else {"fields": kinds}


def _kind(hint: Any, found: dict[str, Any]) -> Any:
    origin, parts = get_origin(hint), get_args(hint)
    if origin in WRAPPERS:
        return _kind(parts[0], found)
    if origin in (typing.Union, types.UnionType):
        kinds: list[Any] = []
        for part in parts:
            kind = _kind(part, found)
            kinds += [each for each in (kind if isinstance(kind, list) else [kind]) if each not in kinds]
        return kinds[0] if len(kinds) == 1 else sorted(kinds, key=json.dumps)
    if origin is typing.Literal:
        return {"is": sorted(parts, key=str)}
    if origin in (list, collections.abc.Iterable, collections.abc.Sequence):
        return {"list": _kind(parts[0], found)}
    if origin in (dict, collections.abc.Mapping):
        return "object"
    if typing_extensions.is_typeddict(hint):
        if hint.__name__ not in found:
            found[hint.__name__] = None  # a shape may hold itself
            found[hint.__name__] = _fields(hint, found)
        return hint.__name__
    if hint in FILES or origin in FILES:
        return "string"
    if hasattr(hint, "model_fields"):
        return []  # an object of a response, which is sent as what it was made from
    return PLAIN[hint]


def source() -> str:
    return f"anthropic {anthropic.__version__}: types/beta/message_create_params.py"


def main() -> None:
    rows = ",\n".join(f"  {json.dumps(name)}: {json.dumps(shape)}" for name, shape in shapes().items())
    FILE.write_text(f'{{"source": {json.dumps(source())}, "shapes": {{\n{rows}\n}}}}\n', encoding="utf-8")


if __name__ == "__main__":
    main()
