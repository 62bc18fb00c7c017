"""Changes applied one by one: the merged values, who set each of them, and what was refused on the way."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ctxengine.findings import Finding, Severity
from ctxengine.origin import Origin
from ctxengine.policy.changes import Change, below

ABSENT: Any = object()


class Merging:
    """A policy in the making. Used by :func:`ctxengine.policy.resolve` alone, and never shared."""

    def __init__(self) -> None:
        self.values: dict[str, Any] = {}
        self.origins: dict[str, Origin] = {}
        self.locks: dict[str, Origin] = {}
        self.findings: list[Finding] = []
        self._refused: set[str] = set()

    def lock(self, path: str, origin: Origin) -> None:
        self.locks.setdefault(path, origin)

    def apply(self, change: Change, severity: Severity = "error") -> None:
        """Do what the change asks for, unless a lock forbids it; ``severity`` is that of the refusal."""
        old = dig(self.values, change.path)
        new = joined(old, change)
        if same(old, new):
            self._restate(change, old)
            return
        lock = self._lock_on(change.path, old, new)
        if lock is None:
            put(self.values, change.path, new)
            self._record(change, old)
        else:
            self._refuse(change, lock, severity)

    def contribute(self, plugin: str, asked: Iterable[Change]) -> None:
        """Join what a plugin asks for: the policy's values stand, ``keep`` and ``exclude_tools`` only grow."""
        for change in asked:
            old = dig(self.values, change.path)
            if old is ABSENT or change.act == "present":
                if change.act != "drop":
                    self.apply(change, "warning")
            elif change.act == "merge" and change.merge.plugins == "union" and isinstance(change.value, list):
                self.apply(change, "warning")
            elif change.merge.plugins == "most" and _amount(old) is not None and _amount(change.value) is not None:
                if _amount(change.value) > _amount(old):  # type: ignore[operator]
                    self.apply(change, "warning")
            elif change.act == "drop" or not same(old, change.value):
                self._conflict(plugin, change)

    def _restate(self, change: Change, old: Any) -> None:
        path = ".".join(change.path)
        says = change.act == "whole" or (change.act == "merge" and change.merge.word == "last")
        if says and old is not ABSENT and not any(covers(lock, path) for lock in self.locks):
            self._record(change, old)

    def _lock_on(self, path: tuple[str, ...], old: Any, new: Any) -> str | None:
        here = ".".join(path)
        for lock in self.locks:
            if covers(lock, here):
                return lock
            if covers(here, lock):
                inside = lock[len(here) + 1 :].split(".")
                if not same(dig(old, inside), dig(new, inside)):
                    return lock
        return None

    def _record(self, change: Change, old: Any) -> None:
        path = ".".join(change.path)
        grown = change.merge.word in ("union", "by_place") and change.act == "merge" and isinstance(old, list)
        if not grown:
            for inner in [known for known in self.origins if known.startswith(f"{path}.")]:
                del self.origins[inner]
        if change.act == "drop":
            self.origins.pop(path, None)
            return
        self.origins[path] = change.origin
        if change.merge.word in ("union", "by_place") and isinstance(change.value, list):
            said = {identity(element): index for index, element in reversed([*enumerate(change.value)])}
            for index, element in enumerate(dig(self.values, change.path)):
                if identity(element) in said:
                    self.origins.setdefault(f"{path}.{index}", below(change.origin, said[identity(element)]))

    def _refuse(self, change: Change, lock: str, severity: Severity) -> None:
        path = ".".join(change.path)
        if any(covers(refused, path) for refused in self._refused):
            return
        if change.act == "present":
            self._refused.add(path)
        message = f"{path} is locked by {self.locks[lock]}; what {_who(change.origin)} asks for is not used"
        remedy = f"leave {path} out here, or have {lock} unlocked where it is locked"
        self.findings.append(Finding("policy-lock", severity, message, remedy, change.origin.place))

    def _conflict(self, plugin: str, change: Change) -> None:
        path = ".".join(change.path)
        standing = nearest(self.origins, path)
        by = f"{standing}" if standing else "the policy"
        message = f"plugin {plugin} asks for another {path} than {by}; the latter stands"
        remedy = f"set {path} in the policy to what both can live with, or take {plugin} out of plugins.use"
        self.findings.append(Finding("policy-conflict", "warning", message, remedy, change.origin.place))


def joined(old: Any, change: Change) -> Any:
    """The value that results; ``old`` itself where the change makes no difference."""
    value, word = change.value, change.merge.word
    if change.act == "drop":
        return ABSENT
    if change.act == "present":
        return old if isinstance(old, dict) else {}
    if change.act == "merge" and word in ("union", "by_place") and isinstance(value, list):
        known = old if isinstance(old, list) else []
        return list({identity(element): element for element in [*known, *value]}.values())
    if change.act == "merge" and word == "least" and old is not ABSENT:
        return min(old, value)
    return value


def dig(value: Any, path: Iterable[str]) -> Any:
    """The value at a path, or ``ABSENT``."""
    for key in path:
        if not (value.__class__ is dict or isinstance(value, Mapping)) or key not in value:
            return ABSENT
        value = value[key]
    return value


def put(values: dict[str, Any], path: tuple[str, ...], value: Any) -> None:
    """Set, or with ``ABSENT`` remove, the value at a path."""
    *parents, key = path
    for parent in parents:
        if not isinstance(values.get(parent), dict):
            values[parent] = {}
        values = values[parent]
    if value is ABSENT:
        values.pop(key, None)
    else:
        values[key] = value


def same(one: Any, other: Any) -> bool:
    """Equal as JSON: ``true`` is not 1."""
    return one is other or (one == other and isinstance(one, bool) == isinstance(other, bool))


def identity(element: Any) -> Any:
    """What tells two elements of a list apart; hashable, so that long lists unite in linear time."""
    return element if isinstance(element, str) else (repr(element),)


def covers(parent: str, path: str) -> bool:
    return path == parent or path.startswith(f"{parent}.")


def nearest(origins: Mapping[str, Origin], path: str) -> Origin | None:
    """The origin of a path, else of its nearest ancestor that has one."""
    while path and path not in origins:
        path = path.rpartition(".")[0]
    return origins.get(path)


def _amount(keep: Any) -> float | None:
    """How much a ``keep`` keeps; ``None`` where it is no keep."""
    type = keep.get("type") if isinstance(keep, Mapping) else keep
    value = keep.get("value") if isinstance(keep, Mapping) else None
    if type == "all":
        return float("inf")
    return value if isinstance(value, (int, float)) and not isinstance(value, bool) else None


def _who(origin: Origin) -> str:
    return origin.source if origin.document is None else f"{origin}"
