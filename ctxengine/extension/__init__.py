"""How others add to ctxengine: the hooks, and the host that asks them.

A plugin imports its names from here: ``from ctxengine.extension import hookimpl``. They are loaded on first use, since
pluggy is imported only where there is a plugin.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ctxengine.extension.hookspecs import EditRegistration, WantedBreakpoint, hookimpl

__all__ = ["EditRegistration", "WantedBreakpoint", "hookimpl"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from ctxengine.extension import hookspecs

    return getattr(hookspecs, name)
