"""Recorded conversations replayed under several policies: tokens, cache, dollars, and what was forgotten."""

from __future__ import annotations

from ctxengine.simulate.simulation import Results, Session, Simulator, simulate

__all__ = ["Results", "Session", "Simulator", "simulate"]
