"""Real conversations through every preset, three models and seven SDK clients: nothing is refused, lost or moved."""

from __future__ import annotations

from pathlib import Path

import pytest

from ctxengine.policy import presets
from ctxengine.transcripts import read_transcripts
from tests.corpus import CORPUS, ENTRIES, MISSING
from tests.real_input import BOUNDARIES, cases, check_case, seed, spread

EXAMPLES = Path(__file__).resolve().parents[1] / "examples" / "transcripts"
FILES = [entry["file"] for entry in ENTRIES]
SAMPLED_CASES = 3
SAMPLED_BOUNDARIES = 4
needs_corpus = pytest.mark.skipif(not FILES, reason=MISSING)


@pytest.fixture(autouse=True)
def _no_mode_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CTXENGINE_MODE", raising=False)


@pytest.mark.parametrize("preset", presets())
@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.json")), ids=lambda path: path.stem)
def test_recorded_example(path: Path, preset: str) -> None:
    """A committed recording goes through a preset on every model, at 20 of its boundaries."""
    (transcript,) = read_transcripts(path)
    for case in cases(transcript):
        if case.preset == preset:
            check_case(transcript, case, spread(transcript.boundaries(), BOUNDARIES))


@needs_corpus
@pytest.mark.parametrize("file", FILES)
def test_sample_of_real_input(file: str) -> None:
    """A few presets, models and boundaries of each real log, chosen by its name."""
    for transcript in read_transcripts(CORPUS / file):
        start, every = seed(transcript), cases(transcript)
        for step in range(SAMPLED_CASES):
            case = every[(start + step * 4) % len(every)]
            check_case(transcript, case, spread(transcript.boundaries(), SAMPLED_BOUNDARIES))


@pytest.mark.corpus
@needs_corpus
@pytest.mark.parametrize("preset", presets())
@pytest.mark.parametrize("file", FILES)
def test_all_real_input(file: str, preset: str) -> None:
    """Every real log goes through a preset on every model, at 20 boundaries."""
    for transcript in read_transcripts(CORPUS / file):
        for case in cases(transcript):
            if case.preset == preset:
                check_case(transcript, case, spread(transcript.boundaries(), BOUNDARIES))
