"""The two gates a policy passes: JSON Schema, whose findings name place and remedy, then the models."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cache
from itertools import islice
from typing import Any

from pydantic import ValidationError

from ctxengine.findings import Finding, Place, did_you_mean, shown
from ctxengine.policy.document import Policy
from ctxengine.policy.schema import policy_schema, referred

RULE = "policy-schema"
MOST_FINDINGS = 20
"""So many are said at once: who made more mistakes corrects these first."""
NAMES = {
    "object": "an object",
    "array": "a list",
    "string": "a string",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "null": "null",
}
KINDS = {dict: "object", list: "array", str: "string", bool: "boolean", int: "integer", float: "number"}


def judge(value: Any, place: Callable[[str], Place]) -> tuple[Finding, ...]:
    """What is wrong with the names, types and shapes of a policy document; nothing where it is one.

    Args:
        place: gives the place of a dotted path, such as :meth:`JsonText.place`. Called only where something is wrong.
    """
    misfits = (misfit for misfit in validator().iter_errors(value) if not _is_branch(misfit))
    said = islice((said for misfit in misfits for said in _said(misfit)), MOST_FINDINGS)
    wrong = dict.fromkeys(said) or dict.fromkeys(_second_gate(value))
    return tuple(Finding(RULE, "error", message, remedy, place(path)) for path, message, remedy in wrong)


def without_notes(value: Any, root: bool = True) -> Any:
    """A copy without ``$comment``, and at the top without ``$schema``."""
    if isinstance(value, list):
        return [without_notes(item, False) for item in value]
    if not isinstance(value, dict):
        return value
    dropped = ("$comment", "$schema") if root else ("$comment",)
    return {key: without_notes(item, False) for key, item in value.items() if key not in dropped}


@cache
def validator() -> Any:
    """The schema gate. Whole numbers are strict, as in the models: 5.0 and true are none."""
    from jsonschema import Draft202012Validator
    from jsonschema.validators import extend

    strict = Draft202012Validator.TYPE_CHECKER.redefine(
        "integer", lambda _, value: isinstance(value, int) and not isinstance(value, bool)
    )
    return extend(Draft202012Validator, type_checker=strict)(policy_schema())  # type: ignore[no-untyped-call]


Misfit = Any
"""A jsonschema ValidationError; the library is imported where it runs."""
Said = tuple[str, str, str]
"""Dotted path, message, help."""


def _said(misfit: Misfit, at: tuple[str | int, ...] = ()) -> Iterator[Said]:
    """A schema error in words; ``at`` is where the union stands whose branch the error is from."""
    parts, allowed = (*at, *misfit.relative_path), misfit.validator_value
    path = ".".join(map(str, parts))
    if misfit.validator == "additionalProperties":
        known = [name for name in misfit.schema["properties"] if not name.startswith("$")]
        for key in misfit.instance:
            if key not in misfit.schema["properties"]:
                where = f"{path}.{key}".lstrip(".") if key in shown(key) else path
                yield where, f"there is no key {shown(key)} here", did_you_mean(key[:60], known)
    elif misfit.validator == "required":
        missing = next(key for key in allowed if key not in misfit.instance)
        yield path, f"the key {missing!r} is missing", _how_to_add(missing, misfit.schema)
    elif misfit.validator in ("enum", "const") and isinstance(misfit.instance, str):
        choices = allowed if misfit.validator == "enum" else [allowed]
        yield path, "this is none of the values allowed here", _choice(misfit.instance, choices)
    elif misfit.validator == "anyOf":
        yield from _union(misfit, parts)
    else:
        wanted = _expected(misfit.schema)
        yield path, f"this is {_kind(misfit.instance)}, where {wanted} belongs", f"write {_like(misfit.schema)}"


def _union(misfit: Misfit, parts: tuple[str | int, ...]) -> Iterator[Said]:
    """Errors of the one branch whose JSON type fits; where none or several do, what the branches are."""
    branches: dict[int, list[Misfit]] = {}
    for inner in misfit.context or ():
        branches.setdefault(int(inner.relative_schema_path[0]), []).append(inner)
    meant = [errors for errors in branches.values() if not any(_of_another_kind(error) for error in errors)]
    if len(meant) == 1:
        for inner in meant[0]:
            yield from _said(inner, parts)
    else:
        wanted, like = (" or ".join(dict.fromkeys(map(how, misfit.validator_value))) for how in (_expected, _like))
        yield ".".join(map(str, parts)), f"this is {_kind(misfit.instance)}, where {wanted} belongs", f"write {like}"


def _is_branch(misfit: Misfit) -> bool:
    """Whether this says for one branch of a tagged union what is said for the whole: what stands there is no object."""
    return misfit.validator == "type" and tuple(misfit.relative_schema_path)[-2:] == ("then", "type")


def _of_another_kind(error: Misfit) -> bool:
    """Whether the branch is for another JSON type than the value has."""
    named = error.validator in ("const", "enum") and not isinstance(error.instance, str)
    return not error.relative_path and (named or error.validator == "type")


def _how_to_add(key: str, schema: Mapping[str, Any]) -> str:
    said = schema.get("properties", {}).get(key, {})
    if "const" in said:
        return f'add "{key}": "{said["const"]}"'
    return f'add "{key}", one of {", ".join(said["enum"])}' if "enum" in said else f'add "{key}"'


def _choice(given: str, choices: list[Any]) -> str:
    return did_you_mean(given[:60], choices)


def _expected(schema: Mapping[str, Any]) -> str:
    if "$ref" in schema or "properties" in schema:
        return NAMES["object"]
    if "const" in schema:
        return f'"{schema["const"]}"'
    if "enum" in schema:
        return "one of " + ", ".join(schema["enum"])
    return NAMES.get(schema.get("type", ""), "another value")


def _like(schema: Mapping[str, Any]) -> str:
    """The same, of an object with the keys that it needs."""
    if "allOf" in schema:
        return " or ".join(_like(rule["then"]) for rule in schema["allOf"])
    while "$ref" in schema:
        schema = referred(schema, policy_schema()["$defs"])
    fields = schema.get("properties", {})
    needed = [f'"{key}": {_value(fields.get(key, {}))}' for key in schema.get("required", ())]
    return f"{{{', '.join(needed)}}}" if needed else _expected(schema)


def _value(schema: Mapping[str, Any]) -> str:
    return f'"{schema["const"]}"' if "const" in schema else "…"


def _kind(value: Any) -> str:
    return NAMES[KINDS[type(value)]] if type(value) in KINDS else "null" if value is None else "no JSON value"


def _second_gate(value: Any) -> Iterator[Said]:
    try:
        Policy.model_validate(without_notes(value))
    except ValidationError as error:
        for each in error.errors(include_url=False, include_input=False, include_context=False):
            yield _real(value, each["loc"]), each["msg"], "`ctxengine schema policy` shows what belongs here"


def _real(value: Any, loc: tuple[str | int, ...]) -> str:
    """An error's location without the names pydantic puts in for the branches of a union."""
    parts: list[str] = []
    for part in loc:
        inside = range(len(value)) if isinstance(value, list) else value if isinstance(value, dict) else ()
        if part in inside:
            value = value[part]
            parts.append(str(part))
    return ".".join(parts)
