"""The cache model against what session logs were billed."""

from __future__ import annotations

import pytest

from benchmarks.fidelity.cache_bills import sessions
from benchmarks.token_pairs import corpus


@pytest.mark.corpus
@pytest.mark.skipif(not corpus().is_dir(), reason="the recordings are not beside the repository")
def test_bills() -> None:
    """Hit or miss is as billed in 95 of 100 requests, and reads are within 5 % in all."""
    pairs = [pair for each in sessions(corpus()) for pair in each]
    assert len(pairs) > 2000
    assert sum(pair.agrees for pair in pairs) / len(pairs) >= 0.95
    assert sum(pair.predicted.read for pair in pairs) == pytest.approx(sum(pair.read for pair in pairs), rel=0.05)
