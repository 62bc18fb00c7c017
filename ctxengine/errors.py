"""The few exceptions ctxengine raises. Each one carries findings, so that a machine reads them as it reads a report."""

from __future__ import annotations

from ctxengine.findings import Finding, Report


class CtxengineError(Exception):
    """Base of all: its text is one readable message, ``findings`` is the same for machines."""

    def __init__(self, *findings: Finding) -> None:
        super().__init__(*findings)
        self.findings = findings

    def __str__(self) -> str:
        return "\n".join(map(str, self.findings))


class MalformedInput(CtxengineError):
    """A file or a value that cannot be read as what it should be. The command line exits with 2."""


class PolicyError(MalformedInput):
    """A policy that is no policy: wrong JSON, wrong types, unknown keys, a missing or circular ``extends``."""


class CatalogError(MalformedInput):
    """A catalog overlay that does not have the catalog's shape."""


class RequestError(MalformedInput):
    """A request whose shape the engine cannot work with, such as ``messages`` that is no list."""


class TranscriptError(MalformedInput):
    """A transcript with a line that cannot be read; names file and line."""


class PlanRefused(CtxengineError):
    """``build`` refused: sending this request would fail. ``report`` holds every finding it is made from, ``findings``
    and the text those that refuse."""

    def __init__(self, *findings: Finding) -> None:
        super().__init__(*findings)
        self.report = Report(findings)
        self.findings = tuple(finding for finding in findings if finding.refuses)
