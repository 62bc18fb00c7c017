"""The stated error is the measured one."""

from __future__ import annotations

from collections import defaultdict

import pytest

from benchmarks.token_pairs import LOG_WITH_REMINDERS, corpus, pairs
from benchmarks.token_tables import DOCS, with_tables
from ctxengine.catalog import default_catalog
from ctxengine.tokens import CalibratedCounter


def test_docs() -> None:
    """The tables in the docs are those of the catalog."""
    text = DOCS.read_text(encoding="utf-8")
    remedy = "run: python -m benchmarks.calibrate_tokens --write"
    assert text == with_tables(text, default_catalog().tokenizers.values()), remedy


@pytest.mark.corpus
@pytest.mark.skipif(not corpus().is_dir(), reason="the recordings are not beside the repository")
def test_band_holds() -> None:
    """The billed tokens lie in the band for nine pairs of ten, and for eight where the log hides reminders."""
    catalog, hits = default_catalog(), defaultdict(list)
    counter = CalibratedCounter(catalog.tokenizers)
    for pair in pairs(corpus()):
        estimate = counter.estimate(pair.size, catalog.models[pair.model])
        hits[pair.tokenizer, pair.kind].append(estimate.low <= pair.tokens <= estimate.high)
    assert len(hits) >= 6
    for (_, kind), inside in hits.items():
        assert sum(inside) / len(inside) >= (0.8 if kind == LOG_WITH_REMINDERS else 0.9), kind
