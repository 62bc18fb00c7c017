"""Names and ids as the API takes them: of letters, digits, _ and -, and none for two things."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import Any

from ctxengine.catalog import default_catalog
from ctxengine.conversation.blocks import is_plain

_ODD = re.compile(r"[^a-zA-Z0-9_-]")


class Ids:
    """Every string that is given becomes one unlike all before it; one that is sound and new stays as it is."""

    def __init__(self, longest: int | None = None) -> None:
        self._longest = longest
        self._seen: Counter[str] = Counter()

    def next(self, given: str) -> str:
        plain = given if is_plain(given) else _ODD.sub("_", given)
        unique = plain = plain[: self._longest]
        while unique in self._seen:
            self._seen[plain] += 1
            end = f"_{self._seen[plain]}"
            unique = plain[: self._longest and self._longest - len(end)] + end
        self._seen[unique] = 1
        return unique


class ToolNames:
    """A sound name for every name of a tool, always the same; those of definitions that are sound come first."""

    def __init__(self, tools: Sequence[Any]) -> None:
        self._ids = Ids(int(default_catalog().limit("tools.name").at_most or 0) or None)
        self._sound: dict[str, str] = {}
        given = (tool.get("name") for tool in tools if isinstance(tool, dict))
        for name in sorted((str(name) for name in given if _is_text(name)), key=lambda name: not is_plain(name)):
            self.of(name)

    def of(self, name: Any) -> str:
        if not _is_text(name):
            return "tool"
        sound = self._sound.get(name)
        if sound is None:
            sound = self._sound[name] = self._ids.next(name)
        return name if sound == name else sound

    def renamed(self, item: Any) -> Any:
        """A definition of a tool, or the choice of one, under the name that its uses have now."""
        name = item.get("name") if isinstance(item, dict) else None
        return {**item, "name": self.of(name)} if _is_text(name) and self.of(name) != name else item


def _is_text(name: Any) -> bool:
    return isinstance(name, str) and bool(name)
