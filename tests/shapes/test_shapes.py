"""Shapes of requests: the table is the SDK's, and what does not fit is told with its path."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import anthropic
import pytest

from benchmarks.fidelity.recorded import recordings
from benchmarks.token_pairs import corpus
from ctxengine.shapes import FILE, request_flaw
from tests.shapes.sdk import shapes, source

TRANSCRIPTS = sorted((Path(__file__).parents[2] / "examples" / "transcripts").glob("*.json"))
CASES = json.loads((Path(__file__).parent / "cases" / "flaws.json").read_text())


def test_the_table_is_the_sdks() -> None:
    """Every object that a request may hold has the fields that the SDK gives it."""
    document, expected = json.loads(FILE.read_text()), shapes()
    known = document["shapes"]
    differs = sorted(name for name in known.keys() | expected.keys() if known.get(name) != expected.get(name))
    again = "run python -m tests.shapes.sdk"
    assert not differs, f"anthropic {anthropic.__version__} differs ({', '.join(differs)}): {again}"
    assert document["source"] == source(), again


@pytest.mark.parametrize("case", CASES, ids=lambda case: str(case["says"]))
def test_flaws(case: dict[str, Any]) -> None:
    """The first thing that does not fit is named, with its path and what should be there."""
    flaw = request_flaw(case["request"])
    assert (list(flaw) if flaw else None) == case["flaw"]
    assert flaw is None or case.get("words", "") in flaw.words


@pytest.mark.parametrize("file", TRANSCRIPTS, ids=lambda file: file.stem)
def test_recorded_conversations_fit(file: Path) -> None:
    """What was really sent has no flaw."""
    request = json.loads(file.read_text())["request"]
    assert request_flaw(request) is None


@pytest.mark.corpus
@pytest.mark.skipif(not corpus().is_dir(), reason="the recordings are not beside the repository")
def test_recorded_requests_fit() -> None:
    """Of the requests that were recorded, those that the API took have no flaw."""
    taken = [each for listed in recordings(corpus() / "recordings") for each in listed if each.reply.status == 200]
    assert len(taken) > 90
    assert [each.recording for each in taken if request_flaw(each.body)] == []
