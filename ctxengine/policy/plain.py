"""A policy in code as the plain JSON it would be in a file."""

from __future__ import annotations

from collections.abc import Mapping
from math import isfinite
from typing import Any

from ctxengine.errors import PolicyError
from ctxengine.findings import Finding, Place

MAX_DEPTH = 64


def plain(value: Any, rule: str, path: str = "", depth: int = 1) -> Any:
    """A copy made of dicts and lists, so that later changes to the caller's objects do not reach it.

    Raises:
        PolicyError: nested deeper than a file may be (or in a circle), a number that is none, a key that is no string.
    """
    if depth > MAX_DEPTH:
        raise PolicyError(Finding(rule, "error", f"nested deeper than {MAX_DEPTH} levels", "flatten the policy", Place()))
    if isinstance(value, Mapping):
        if not all(isinstance(key, str) for key in value):
            raise PolicyError(Finding(rule, "error", "a key is no string", "write every key as a string", Place(path)))
        return {key: plain(child, rule, f"{path}.{key}" if path else key, depth + 1) for key, child in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(child, rule, f"{path}.{index}" if path else str(index), depth + 1) for index, child in enumerate(value)]
    if isinstance(value, float) and not isfinite(value):
        raise PolicyError(Finding(rule, "error", "this is no JSON number", "write a finite number", Place(path)))
    return value
