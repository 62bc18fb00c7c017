"""How far the emulator agrees with recorded exchanges and published tables, and that the page about it is current."""

from __future__ import annotations

import pytest

from benchmarks.fidelity.published_documents import clearing
from benchmarks.fidelity.published_tickets import tickets
from benchmarks.fidelity.recordings import Compared, agreement, compared
from benchmarks.fidelity.report import FROM_DATA, PAGE, TABLES, with_tables
from benchmarks.token_pairs import corpus

DATA = corpus() / "recordings"
corpus_test = pytest.mark.skipif(not DATA.is_dir(), reason="the recordings are not beside the repository")
AGREE = {
    "status": 117,
    "error type": 10,
    "error words, but for numbers": 10,
    "input tokens, estimated": 23,
    "input tokens, estimated, of padded prompts": 3,
    "stop_reason": 93,
    "content block types": 93,
    "usage structure": 76,
    "output tokens": 95,
    "cache: what is read, written and neither": 63,
    "cache: tokens of each": 61,
    "applied_edits": 10,
    "cleared tokens, estimated": 1,
}
"""Requests that agreed when this was last measured: never fewer."""


@pytest.fixture(scope="module")
def rows() -> list[Compared]:
    return compared(DATA)


@pytest.mark.corpus
@corpus_test
@pytest.mark.parametrize("aspect", AGREE)
def test_agreement(rows: list[Compared], aspect: str) -> None:
    """At least as many recorded requests are answered as the API did as when it was last measured."""
    assert agreement(rows)[aspect][0] >= AGREE[aspect]


@pytest.mark.corpus
@corpus_test
def test_every_disagreement_has_a_reason(rows: list[Compared]) -> None:
    """Nothing differs without anyone knowing why."""
    unknown = [(row.exchange.recording, row.aspect) for row in rows if not row.agrees and not row.reason]
    assert unknown == []


@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=[pytest.mark.corpus, corpus_test] if name in FROM_DATA else []) for name in TABLES],
)
def test_page_is_current(name: str) -> None:
    """Every table of the page is what its script makes today."""
    page = PAGE.read_text(encoding="utf-8")
    assert f"<!-- table: {name} -->" in page
    assert with_tables(page, (name,)) == page, "run: python -m benchmarks.fidelity.report --write"


def test_published_totals() -> None:
    """The printed turns add up to the published totals, and our trigger fires where it did."""
    found = {name: (published, ours) for name, published, ours, _ in tickets()}
    assert {found[name][0] - found[name][1] for name in list(found)[:3]} == {0}


def test_published_clearings() -> None:
    """The published run cleared the same number of results at the same requests, and its contexts are within 0.1 %."""
    for _, context, ours, published, cleared in clearing():
        assert str(published).partition(":")[0] == str(cleared).partition(":")[0]
        assert ours == pytest.approx(context, rel=0.001)
