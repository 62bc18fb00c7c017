"""Reads case files: ``{"$repeat": [value, n]}`` stands for a string or list n times."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any


def cases_of(name: str) -> list[dict[str, Any]]:
    text = (Path(__file__).parent / "cases" / f"{name}.json").read_text(encoding="utf-8")
    cases: list[dict[str, Any]] = json.loads(text, object_hook=_expand)
    return cases


def characters(value: Any) -> int:
    """A size that tests can foresee: one token a character of JSON."""
    return len(json.dumps(value))


def _expand(item: Mapping[str, Any]) -> Any:
    if "$repeat" not in item:
        return item
    value, times = item["$repeat"]
    return value * times
