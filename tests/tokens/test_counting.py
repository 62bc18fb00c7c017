"""Estimates carry a band, and billed usage takes precedence over them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ctxengine.catalog import default_catalog
from ctxengine.tokens import CalibratedCounter, Estimate, RecordedCounter, Size

COUNTER = CalibratedCounter(default_catalog().tokenizers)
OLDER, NEWER = default_catalog().models["claude-sonnet-4-6"], default_catalog().models["claude-opus-5-5"]
NAMES = [field.name for field in fields(Size)]
SIZES = st.builds(Size, **{name: st.integers(0, 10**7) for name in NAMES})
MODELS = st.sampled_from([None, OLDER, NEWER])


def conversation(messages: int) -> list[dict[str, str]]:
    return [{"role": "user" if n % 2 == 0 else "assistant", "content": "word " * 100} for n in range(messages)]


@settings(deadline=None)
@given(SIZES, SIZES, MODELS)
def test_band(size: Size, more: Size, model: object) -> None:
    """An estimate lies in its band, and more content never makes it smaller."""
    small, large = COUNTER.estimate(size, model), COUNTER.estimate(size + more, model)
    assert 0 <= small.low <= small.tokens <= small.high
    assert (small.low, small.tokens, small.high) <= (large.low, large.tokens, large.high)


def test_newer_tokenizer() -> None:
    """The same text has more tokens with the newer tokenizer, and a wider band where the model is unknown."""
    size = Size(text=100_000, code=100_000)
    older, newer, unknown = (COUNTER.estimate(size, model) for model in (OLDER, NEWER, None))
    assert older.tokens < newer.tokens == unknown.tokens
    assert unknown.low < newer.low and newer.high < unknown.high


def test_images_are_scaled_down() -> None:
    """An image comes to no more tokens than the largest one that is sent unscaled."""
    large, huge = (COUNTER.estimate(Size(images=1, pixels=pixels), OLDER).tokens for pixels in (10**7, 10**9))
    assert large == huge == default_catalog().tokenizers["2024"].image_most


def test_tools_bring_instructions_once() -> None:
    """The second tool costs less than the first."""
    none, one, two = (COUNTER.estimate(Size(tools=tools), OLDER).tokens for tools in range(3))
    assert two - one < one - none


@pytest.mark.parametrize(("tokens", "name"), [(10, "first"), (30_000, "second"), (45_000, "second"), (1_000_000, None)])
def test_first_reaching(tokens: int, name: str | None) -> None:
    """The part is named with which a prefix may be long enough, by the upper end of the band."""
    parts = [("first", "a" * 1000), ("second", "a" * 100_000), ("third", "a" * 100_000)]
    assert COUNTER.first_reaching(parts, tokens, NEWER) == name


def test_first_reaching_stops() -> None:
    """Nothing is read beyond the part that decides."""

    def parts() -> Iterator[tuple[str, str]]:
        yield "first", "a" * 100_000
        pytest.fail("read on")

    assert COUNTER.first_reaching(parts(), 1024, OLDER) == "first"


def test_recorded() -> None:
    """What was billed for the very same messages is exact."""
    counter = RecordedCounter(COUNTER, [(5, 900), (3, 700)])
    assert counter.count(None, None, conversation(5), OLDER) == Estimate(900, 900, 900, "recorded")
    assert counter.count(None, None, conversation(3), OLDER).tokens == 700


def test_before_any_record() -> None:
    """Without a record that is short enough, the estimate is the base's own."""
    messages = conversation(2)
    expected = COUNTER.count("be brief", None, messages, OLDER)
    assert RecordedCounter(COUNTER, [(3, 700)]).count("be brief", None, messages, OLDER) == expected


@pytest.mark.parametrize(
    ("known", "factor"), [([(2, 100), (6, 100)], 1.0), ([(2, 100), (6, 99_999)], 2.0), ([(6, 1)], 0.5)]
)
def test_correction(known: list[tuple[int, int]], factor: float) -> None:
    """What follows the last record is corrected by what is on record, within reason."""
    messages = conversation(10)
    whole = COUNTER.count(None, None, messages[6:], OLDER).tokens
    if factor == 1.0:
        known = [(2, 100), (6, 100 + COUNTER.count(None, None, messages[2:6], OLDER).tokens)]
    counted = RecordedCounter(COUNTER, known).count(None, None, messages, OLDER)
    assert counted.source == "estimated"
    assert counted.tokens == known[-1][1] + round(factor * whole)


def test_correction_is_recent() -> None:
    """A record of long ago has no say in the correction while there are newer ones."""
    messages = conversation(310)
    newer = [(250, 50_000), (300, 60_000)]
    counts = [
        RecordedCounter(COUNTER, [*older, *newer]).count(None, None, messages, OLDER) for older in ([], [(2, 49_999)])
    ]
    assert counts[0] == counts[1]
