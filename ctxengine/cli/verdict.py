"""What ``check`` found of one file for one target."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from ctxengine.findings import Finding


@dataclass(frozen=True, slots=True)
class Verdict:
    """The findings for one file, model and platform; without a model, of the policy by itself."""

    file: str
    model: str | None
    platform: str | None
    findings: tuple[Finding, ...]
    malformed: bool = False
    """The file, or something it names, cannot be read."""

    @property
    def word(self) -> str:
        """``error``, ``warning`` or ``ok``: the worst there is."""
        severities = {finding.severity for finding in self.findings}
        return next((word for word in ("error", "warning") if word in severities), "ok")

    def to_dict(self) -> dict[str, Any]:
        rules = list(dict.fromkeys(finding.rule for finding in self.findings))
        return {"file": self.file, "model": self.model, "platform": self.platform, "verdict": self.word, "rules": rules}


def distinct(verdicts: Iterable[Verdict]) -> list[Finding]:
    """Every finding once, in the order they were found."""
    return list(dict.fromkeys(finding for verdict in verdicts for finding in verdict.findings))
