"""How far the emulator agrees with recorded exchanges and published tables, and that the page about it is current."""

from __future__ import annotations

import pytest

from benchmarks.fidelity.cache_bills import replay
from benchmarks.fidelity.published_documents import clearing
from benchmarks.fidelity.published_tickets import tickets
from benchmarks.fidelity.recordings import Compared, agreement, compared
from benchmarks.fidelity.report import FROM_DATA, PAGE, TABLES, with_tables
from benchmarks.token_pairs import corpus
from ctxengine.transcripts import Recorded, Transcript

DATA = corpus() / "recordings"
corpus_test = pytest.mark.skipif(not DATA.is_dir(), reason="the recordings are not beside the repository")
AGREE = {
    "status": 122,
    "error type": 11,
    "error words, but for numbers": 11,
    "input tokens, estimated": 27,
    "input tokens, estimated, of padded prompts": 6,
    "stop_reason": 97,
    "content block types": 97,
    "usage structure": 80,
    "output tokens": 99,
    "cache: what is read, written and neither": 67,
    "cache: tokens of each": 62,
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
    """The published run cleared as many results at the same requests, the first reading's, and its contexts are within
    0.1 %."""
    for number, context, ours, published, cleared, which in clearing():
        assert str(published).partition(":")[0] == str(cleared).partition(":")[0]
        assert ours == pytest.approx(context, rel=0.001)
        assert which == ("1, 2, 3, 4 of request 1" if number > 3 else "")


@pytest.mark.parametrize(("read", "changed"), [((1000, 1000), False), ((1000, 1002), True), ((1000, 2400), False)])
def test_a_head_of_another_size_is_an_unseen_change(read: tuple[int, int], changed: bool) -> None:
    """The client changed tools or system prompt where a later request reads the head alone, and not as long as before;
    what is longer than the first prompt is no head."""
    messages = [{"role": role, "content": "Go"} for role in ("user", "assistant") * 4]
    reads = (1000, *read, 2000)
    bills = tuple(
        Recorded(
            2 * at + 1,
            "claude-opus-4-6",
            {"cache_read_input_tokens": tokens, "cache_creation_input_tokens": 1000 * (at + 2) - tokens},
            f"2026-11-01T12:0{at}:00Z",
        )
        for at, tokens in enumerate(reads)
    )
    pairs = list(replay(Transcript("log", "claude-code", {"messages": messages}, bills)))
    assert [pair.other_head for pair in pairs] == [False, changed, False]


@pytest.mark.parametrize(("answer", "unseen"), [("[Request interrupted by user]", True), ("Never mind", False)])
def test_an_interrupted_request_is_unseen(answer: str, unseen: bool) -> None:
    """A log has no bill of a request whose answer was not waited for."""
    roles = ("user", "assistant", "user", "user", "assistant")
    said = ("Go", "Gone", "Stop", answer, "Stopped")
    messages = [{"role": role, "content": text} for role, text in zip(roles, said, strict=True)]
    usage = {"cache_read_input_tokens": 0, "cache_creation_input_tokens": 2000, "input_tokens": 3}
    times = ("2026-11-01T12:00:00Z", "2026-11-01T12:01:00Z")
    bills = tuple(Recorded(at, "claude-opus-4-6", usage, time) for at, time in zip((1, 4), times, strict=True))
    (pair,) = replay(Transcript("log", "claude-code", {"messages": messages}, bills))
    assert pair.unseen is unseen
