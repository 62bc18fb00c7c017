"""The cache model against what session logs were billed."""

from __future__ import annotations

import pytest

from benchmarks.fidelity.cache_bills import sessions
from benchmarks.token_pairs import corpus

CORPUS = pytest.mark.skipif(not corpus().is_dir(), reason="the recordings are not beside the repository")


@pytest.mark.corpus
@CORPUS
def test_bills() -> None:
    """Hit or miss is as billed in 99 of 100 requests, and reads are within 1 % in all."""
    pairs = [pair for each in sessions(corpus()) for pair in each]
    assert len(pairs) > 2000
    assert sum(pair.agrees for pair in pairs) / len(pairs) >= 0.99
    assert sum(pair.predicted.read for pair in pairs) == pytest.approx(sum(pair.read for pair in pairs), rel=0.01)


@pytest.mark.corpus
@CORPUS
def test_tokens_are_as_billed() -> None:
    """In sessions that agree in every hit and miss, what is read and what is written is as billed."""
    plain = [pairs for pairs in sessions(corpus()) if all(pair.agrees and not pair.unseen for pair in pairs)]
    pairs = [pair for each in plain for pair in each]
    assert len(pairs) > 800
    assert sum(pair.predicted.read for pair in pairs) == pytest.approx(sum(pair.read for pair in pairs), rel=0.001)
    assert sum(pair.predicted.written for pair in pairs) == pytest.approx(
        sum(pair.written for pair in pairs), rel=0.001
    )
