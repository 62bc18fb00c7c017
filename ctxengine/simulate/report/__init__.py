"""The comparison as one HTML file that needs nothing else: no network, no server."""

from __future__ import annotations

from ctxengine.simulate.report.page import Page, report

__all__ = ["Page", "report"]
