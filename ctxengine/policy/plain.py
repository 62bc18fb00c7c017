"""A policy in code as the plain JSON it would be in a file."""

from __future__ import annotations

from collections.abc import Mapping
from math import isfinite
from typing import Any, NoReturn

from ctxengine.errors import PolicyError
from ctxengine.findings import Finding, Place
from ctxengine.policy.gate import RULE

MAX_DEPTH = 64


def plain(value: Any, path: str = "", depth: int = 1) -> Any:
    """A copy made of dicts and lists, so that later changes to the caller's objects do not reach it.

    Raises:
        PolicyError: nested deeper than a file may be (or in a circle), a number that is none, a key that is no string.
    """
    if depth > MAX_DEPTH:
        _refuse("", f"nested deeper than {MAX_DEPTH} levels", "flatten the policy")
    if isinstance(value, Mapping):
        if not all(isinstance(key, str) for key in value):
            _refuse(path, "a key is no string", "write every key as a string")
        return {key: plain(child, f"{path}.{key}".lstrip("."), depth + 1) for key, child in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(child, f"{path}.{n}".lstrip("."), depth + 1) for n, child in enumerate(value)]
    if isinstance(value, float) and not isfinite(value):
        _refuse(path, "this is no JSON number", "write a finite number")
    return value


def _refuse(path: str, message: str, remedy: str) -> NoReturn:
    raise PolicyError(Finding(RULE, "error", message, remedy, Place(path)))
