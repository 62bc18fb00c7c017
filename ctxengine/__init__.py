"""Policy for a model's context: declared in JSON, layered, checked, explained, and built into requests."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ctxengine.catalog import Catalog, default_catalog
    from ctxengine.engine import Engine, Planner
    from ctxengine.errors import (
        CatalogError,
        CtxengineError,
        MalformedInput,
        PlanRefused,
        PolicyError,
        RequestError,
        TranscriptError,
    )
    from ctxengine.extension import hookimpl
    from ctxengine.findings import Finding, Place, Report
    from ctxengine.plan import Plan
    from ctxengine.simulate import Results
    from ctxengine.tokens import CalibratedCounter, Estimate, RecordedCounter, TokenCounter
    from ctxengine.transcripts import read_transcripts

_HOME = {
    "Catalog": "catalog",
    "default_catalog": "catalog",
    "Engine": "engine",
    "Planner": "engine",
    "CatalogError": "errors",
    "CtxengineError": "errors",
    "MalformedInput": "errors",
    "PlanRefused": "errors",
    "PolicyError": "errors",
    "RequestError": "errors",
    "TranscriptError": "errors",
    "hookimpl": "extension",
    "Finding": "findings",
    "Place": "findings",
    "Report": "findings",
    "Plan": "plan",
    "Results": "simulate",
    "CalibratedCounter": "tokens",
    "Estimate": "tokens",
    "RecordedCounter": "tokens",
    "TokenCounter": "tokens",
    "read_transcripts": "transcripts",
}
"""Public name → the room it lives in; a room is imported when its first name is asked for."""

__all__ = [
    "CalibratedCounter",
    "Catalog",
    "CatalogError",
    "CtxengineError",
    "Engine",
    "Estimate",
    "Finding",
    "MalformedInput",
    "Place",
    "Plan",
    "PlanRefused",
    "Planner",
    "PolicyError",
    "RecordedCounter",
    "Report",
    "RequestError",
    "Results",
    "TokenCounter",
    "TranscriptError",
    "default_catalog",
    "hookimpl",
    "read_transcripts",
]


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"{__name__}.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
