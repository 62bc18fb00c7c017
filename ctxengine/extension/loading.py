"""Finds plugins, installed ones by their entry point, and says of each that cannot be used why."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Literal

from ctxengine.findings import Finding

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

    from pluggy import HookCaller

SWITCH = "CTXENGINE_DISABLE_PLUGINS"
GROUP = "ctxengine"


@dataclass(frozen=True, slots=True)
class PluginInfo:
    """What is known about one plugin."""

    name: str
    distribution: str | None
    """Name of the package it came with; ``None`` for an object."""
    version: str | None
    hooks: tuple[str, ...]
    """The hooks it implements; none where it could not be loaded."""
    source: Literal["entry point", "object"]

    def __str__(self) -> str:
        came_with = f"{self.distribution} {self.version}" if self.distribution else "given as an object"
        return f"plugin {self.name} ({came_with})"


@dataclass(frozen=True, slots=True)
class Loaded:
    """A plugin that can be asked."""

    info: PluginInfo
    plugin: object
    hooks: Mapping[str, HookCaller]


@dataclass(frozen=True, slots=True)
class Found:
    """What looking for plugins brought."""

    loaded: Sequence[Loaded] = ()
    """Those that can be asked, in name order."""
    known: Sequence[PluginInfo] = ()
    """All there are, in name order."""
    problems: Sequence[Finding] = ()


class Unusable(Exception):
    """A plugin or an answer that cannot be used. The text is a verb phrase of ours; nothing of the answer is in it."""


def disabled() -> bool:
    """Whether the environment switches all plugins off."""
    return os.environ.get(SWITCH, "") not in ("", "0")


def failed(info: PluginInfo, doing: str, error: BaseException, *, strict: bool) -> Finding:
    """The finding for a plugin that did not do what it should; of a foreign exception only the class is told."""
    what = str(error) if isinstance(error, Unusable) else f"raised {type(error).__name__}"
    remedy = f"tell the plugin's author, or do without it: leave it out, or set {SWITCH}=1 to switch all plugins off"
    return Finding("plugin-failed", "error" if strict else "warning", f"{info}: {doing} {what}", remedy)


def load(objects: Sequence[object], *, entry_points: bool, strict: bool) -> Found:
    """The given plugins and the installed ones; of two with one name the first counts, and objects come first."""
    loaded: dict[str, Loaded] = {}
    known: list[PluginInfo] = []
    problems: list[Finding] = []
    for info, opened in _candidates(objects, entry_points):
        try:
            plugin = opened()
            namesake = loaded.get(info.name)
            if namesake is not None:
                if namesake.plugin is plugin:
                    continue
                raise Unusable(f"is refused: its name is taken by {namesake.info}")
            hooks = _hooks_of(plugin, info.name)
            info = replace(info, hooks=tuple(sorted(hooks)))
            loaded[info.name] = Loaded(info, plugin, hooks)
        except (Exception, SystemExit) as error:
            problems.append(failed(info, "loading it", error, strict=strict))
        known.append(info)
    return Found([loaded[name] for name in sorted(loaded)], sorted(known, key=lambda info: info.name), problems)


def _candidates(objects: Sequence[object], entry_points: bool) -> Iterator[tuple[PluginInfo, Callable[[], object]]]:
    for plugin in objects:
        yield PluginInfo(_name_of(plugin), None, None, (), "object"), partial(_itself, plugin)
    for entry in _installed() if entry_points else ():
        name, version = (entry.dist.name, entry.dist.version) if entry.dist else (None, None)
        yield PluginInfo(entry.name, name, version, (), "entry point"), partial(_open, entry)


def _itself(plugin: object) -> object:
    return plugin


def _name_of(plugin: object) -> str:
    for attribute in ("name", "__name__"):
        try:
            name = getattr(plugin, attribute, None)
        except Exception:  # a property of the plugin's own
            continue
        if isinstance(name, str) and name:
            return name
    return type(plugin).__name__


def _installed() -> list[EntryPoint]:
    from importlib.metadata import entry_points

    return sorted(entry_points(group=GROUP), key=lambda entry: (entry.name, str(entry.dist and entry.dist.name)))


def _open(entry: EntryPoint) -> object:
    """The plugin behind an entry point, unless its package was made for another version of ctxengine."""
    from importlib.metadata import PackageNotFoundError, version

    from packaging.requirements import Requirement

    try:
        ours = version(GROUP)
    except PackageNotFoundError:  # run from a source folder
        return entry.load()
    for text in (entry.dist and entry.dist.requires) or ():
        wanted = Requirement(text)
        if wanted.name == GROUP and not wanted.specifier.contains(ours, prereleases=True):
            raise Unusable(f"is refused: it is made for ctxengine {wanted.specifier}, and this is {ours}")
    return entry.load()


def _hooks_of(plugin: object, name: str) -> dict[str, HookCaller]:
    """The plugin's hooks. One manager for each plugin, since the answers of a shared one come without names."""
    from pluggy import PluginManager, PluginValidationError

    from ctxengine.extension import hookspecs

    manager = PluginManager(GROUP)
    manager.add_hookspecs(hookspecs)
    try:
        manager.register(plugin, name)
        manager.check_pending()
    except PluginValidationError as error:
        why = str(error).splitlines()[-1].removesuffix(f" in plugin {plugin!r}")
        raise Unusable(f"is refused: its hooks are not those of this version ({why})") from error
    hooks = {caller.name: caller for caller in manager.get_hookcallers(plugin) or ()}
    if not hooks:
        raise Unusable("found no function marked @hookimpl")
    return hooks
