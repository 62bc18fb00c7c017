"""Layers, arguments, the request's own edits and plugins become one policy that knows who asked for what."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

from ctxengine.findings import Finding
from ctxengine.origin import Origin
from ctxengine.policy.changes import EditWords, below, changes, contradictions, edit_changes
from ctxengine.policy.loading import Layer, layer_from_mapping
from ctxengine.policy.merging import ABSENT, Merging, dig, nearest
from ctxengine.policy.paths import lock_path


@dataclass(frozen=True, slots=True)
class Situation:
    """What an override's ``when`` is matched against."""

    model: str
    """Canonical id."""
    platform: str
    thinks: bool | None
    """``None``: unknown, which matches neither ``on`` nor ``off``."""
    tools: tuple[tuple[str, str], ...] = ()
    """Name and type of each tool of the request."""


@dataclass(frozen=True, slots=True)
class Resolved:
    """One merged policy in normal form, with the origin of every value.

    ``edits`` is ``{type: {field: value}}``, a compaction edit has become ``compaction``, ``cache.ttl`` is
    ``{place: ttl}``, lists are flat. What no layer set is absent.
    """

    values: Mapping[str, Any]
    origins: Mapping[str, Origin]
    """By dotted path, list elements too (``betas.0``): who set it last. Objects have the origin of who began them."""
    locks: Mapping[str, Origin] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()

    def get(self, path: str, default: Any = None) -> Any:
        found = dig(self.values, path.split("."))
        return default if found is ABSENT else found

    def origin(self, path: str) -> Origin:
        """Who set the value at a path, or the nearest object around it; ``engine`` where nobody did."""
        return nearest(self.origins, path) or Origin("engine", path)


def resolve(
    layers: Sequence[Layer],
    situation: Situation,
    *,
    arguments: Mapping[str, Any] | None = None,
    request_edits: Sequence[Mapping[str, Any]] | None = None,
    contributions: Sequence[tuple[str, Sequence[Mapping[str, Any]]]] = (),
    edit_words: EditWords | None = None,
) -> Resolved:
    """Merge everything that has a say, in order, base first.

    Args:
        arguments: a partial policy given at call time; a layer after all files.
        request_edits: ``context_management.edits`` of the caller's own request.
        contributions: plugin name and the edits it asks for, in the order plugins are heard.
        edit_words: edit type → field → merge word, for edit types that are rows of the catalog only.

    Raises:
        PolicyError: ``arguments`` is no policy.
    """
    merging, words = Merging(), edit_words or {}
    given = (layer_from_mapping(arguments, "argument"),) if arguments is not None else ()
    for layer in (*layers, *given):
        _add(merging, layer, situation, words)
    for change in edit_changes(request_edits or (), Origin("request", "context_management.edits"), words):
        merging.apply(change)
    for plugin, edits in contributions:
        merging.contribute(plugin, edit_changes(edits, Origin(f"plugin {plugin}", "edits"), words))
    return Resolved(merging.values, merging.origins, merging.locks, tuple(merging.findings))


def _add(merging: Merging, layer: Layer, situation: Situation, words: EditWords) -> None:
    """A layer's plain values, then its locks, which so bind its own overrides too, then the overrides that match."""
    root = Origin(layer.name, "", layer.document)
    _set(merging, layer.data, root, words)
    for index, path in enumerate(layer.data.get("lock", ())):
        merging.lock(lock_path(path), below(below(root, "lock"), index))
    for index, override in enumerate(layer.data.get("overrides", ())):
        if matches(override["when"], situation):
            _set(merging, override["set"], below(below(below(root, "overrides"), index), "set"), words)


def _set(merging: Merging, settings: Mapping[str, Any], origin: Origin, words: EditWords) -> None:
    merging.findings.extend(contradictions(settings, origin))
    for change in changes(settings, origin, words):
        merging.apply(change)


def matches(when: Mapping[str, Any], situation: Situation) -> bool:
    """Whether every key of a condition holds; of a list, one value must."""
    return all(_holds(key, [said] if isinstance(said, str) else said, situation) for key, said in when.items())


def _holds(key: str, said: Sequence[str], situation: Situation) -> bool:
    if key == "model":
        return any(fnmatchcase(situation.model, glob) for glob in said)
    if key == "platform":
        return situation.platform in said
    if key == "thinking":
        return {True: "on", False: "off"}.get(situation.thinks, "unknown") in said  # type: ignore[arg-type]
    return any(name == one or fnmatchcase(type, one) for name, type in situation.tools for one in said)
