"""How large a prompt is: sizes of content by class, and the tokens they come to for a given model."""

from __future__ import annotations

from ctxengine.tokens.counting import CalibratedCounter, Estimate, RecordedCounter, TokenCounter
from ctxengine.tokens.measure import measure, measure_messages
from ctxengine.tokens.size import Size

__all__ = [
    "CalibratedCounter",
    "Estimate",
    "RecordedCounter",
    "Size",
    "TokenCounter",
    "measure",
    "measure_messages",
]
