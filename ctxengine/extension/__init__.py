"""How others add to ctxengine: the hooks, and the host that asks them.

A plugin imports its names from here: ``from ctxengine.extension import hookimpl, rule``. They are loaded on first use,
since pluggy is imported only where there is a plugin.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ctxengine.check import Facts, Hit, Rule, rule
    from ctxengine.extension.hookspecs import EditRegistration, WantedBreakpoint, hookimpl

__all__ = ["EditRegistration", "Facts", "Hit", "Rule", "WantedBreakpoint", "hookimpl", "rule"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from ctxengine import check
    from ctxengine.extension import hookspecs

    return getattr(check if name in check.__all__ else hookspecs, name)
