"""The front desk: layers, catalog and plugins in, plans and keyword arguments out."""

from __future__ import annotations

from ctxengine.engine.engine import Engine, Planner

__all__ = ["Engine", "Planner"]
