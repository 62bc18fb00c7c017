"""The JSON Schema of a catalog overlay, read off the row types: editors complete and explain it."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Mapping
from dataclasses import is_dataclass
from itertools import pairwise
from types import NoneType
from typing import Annotated, Any, Literal, get_args, get_origin

from ctxengine.catalog.facts import ISO_DATE, TABLES
from ctxengine.catalog.rows import fields_of, key_of

_SCALARS = {str: "string", bool: "boolean", int: "integer", float: "number"}
_ROW_RULE = "A row over an existing one needs only what changes; a new row needs every field that may not be null."


def catalog_schema() -> dict[str, Any]:
    """The overlay's schema, draft 2020-12. Which fields a *new* row needs is checked on loading."""
    tables = {name: {"type": "object", "additionalProperties": _row(row)} for name, row in TABLES.items()}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "ctxengine catalog overlay",
        "description": f"Facts laid over the catalog that ships with ctxengine. {_ROW_RULE}",
        "type": "object",
        "properties": {"$schema": {"type": "string"}, "$comment": {"type": "string"}, **tables},
        "additionalProperties": False,
    }


def _row(row_type: type) -> dict[str, Any]:
    schema = _object(row_type)
    del schema["properties"][key_of(row_type)]  # the row's key in its table
    return {**schema, "required": ["source", "as_of"]}


def _object(row_type: type) -> dict[str, Any]:
    described = _descriptions(row_type)
    properties = {
        name: {**_value(field.hint), **({"description": described[name]} if name in described else {})}
        for name, field in fields_of(row_type).items()
    }
    description = inspect.getdoc(row_type) or ""
    return {"type": "object", "description": description, "properties": properties, "additionalProperties": False}


def _value(hint: Any) -> dict[str, Any]:
    origin, arguments = get_origin(hint), get_args(hint)
    if hint is Any:
        return {}
    if hint in _SCALARS:
        return {"type": _SCALARS[hint]}
    if origin is Annotated:
        return {"type": "string", **({"pattern": f"^{ISO_DATE}$"} if ISO_DATE in arguments else {"format": "regex"})}
    if origin is Literal:
        return {"enum": list(arguments)}
    if NoneType in arguments:
        return _or_null(_value(next(each for each in arguments if each is not NoneType)))
    if origin is tuple:
        return {"type": "array", "items": _value(arguments[0])}
    if is_dataclass(hint) and isinstance(hint, type):
        schema = _object(hint)
        schema["required"] = [name for name, field in fields_of(hint).items() if field.required]
        return schema
    return {"type": "object", "additionalProperties": _value(arguments[1])}


def _or_null(schema: Mapping[str, Any]) -> dict[str, Any]:
    if "enum" in schema:
        return {"enum": [*schema["enum"], None]}
    return {**schema, "type": [schema["type"], "null"]}


def _descriptions(row_type: type) -> dict[str, str]:
    """The strings that stand below the fields; Python itself throws them away."""
    body = ast.parse(inspect.getsource(row_type)).body[0].body  # type: ignore[attr-defined]
    return {
        ast.unparse(field.target): inspect.cleandoc(ast.literal_eval(text.value)).replace("``None``", "null")
        for field, text in pairwise(body)
        if isinstance(field, ast.AnnAssign) and isinstance(text, ast.Expr)
    }
