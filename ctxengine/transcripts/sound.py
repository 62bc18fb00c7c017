"""Names and ids as the API takes them: of letters, digits, _ and -, and none for two uses or two definitions."""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Sequence
from typing import Any

from ctxengine.catalog import default_catalog
from ctxengine.conversation.blocks import is_plain

_ODD = re.compile(r"[^a-zA-Z0-9_-]")


class Ids:
    """Every string that is given becomes one unlike all before it; one that is sound and new stays as it is."""

    def __init__(self, longest: int = sys.maxsize) -> None:
        self._longest = longest
        self._seen: Counter[str] = Counter()

    def next(self, given: str) -> str:
        unique = plain = sound(given, self._longest)
        while unique in self._seen:
            self._seen[plain] += 1
            end = f"_{self._seen[plain]}"
            unique = plain[: self._longest - len(end)] + end
        self._seen[unique] = 1
        return unique


class ToolNames:
    """Names for tools. Each definition has one of its own, those that are sound first; a use that has no definition is
    named by its letters alone, and so by that of a definition that means it."""

    def __init__(self, tools: Sequence[Any]) -> None:
        self._longest = int(default_catalog().limit("tools.name").at_most or 0)
        given = (tool.get("name") for tool in tools if isinstance(tool, dict))
        names = sorted((str(name) for name in given if _is_text(name)), key=lambda name: not is_plain(name))
        ids = Ids(self._longest)
        self._defined = {name: ids.next(name) for name in dict.fromkeys(names)}

    def of(self, name: Any) -> str:
        if not _is_text(name):
            return "tool"
        found = self._defined.get(name) or sound(name, self._longest)
        return name if found == name else found

    def renamed(self, item: Any) -> Any:
        """A definition or a choice of a tool, under the name that its uses have now."""
        name = item.get("name") if isinstance(item, dict) else None
        return {**item, "name": self.of(name)} if _is_text(name) and self.of(name) != name else item


def sound(name: str, longest: int) -> str:
    """The letters that the API takes, _ in place of others."""
    return (name if is_plain(name) else _ODD.sub("_", name))[:longest]


def _is_text(name: Any) -> bool:
    return isinstance(name, str) and bool(name)
