"""The Vega-Lite specs of one session: plain dicts, whose data and colours the page adds.

A policy is known to a chart by its number: what a file or a tool is called is never part of a spec.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from ctxengine.simulate.report.drawn import MARKS, NEEDED, Drawn
from ctxengine.simulate.totals import BASELINE

FAR = 3
"""The baseline leaves the picture of the cost where it costs more than so many times the dearest policy."""
Spec = dict[str, Any]


class Chart(NamedTuple):
    """One picture, and what it says in words."""

    value: str
    title: str
    note: str
    label: str
    form: str
    spec: Spec


def charts(drawn: Drawn) -> list[Chart]:
    """Context, cost and cache over the turns; no cost where no price is known."""
    costs = drawn.last("cost")
    top = _top(costs)
    made = [
        Chart(
            "context", "Context", "Tokens the model reads at each turn, after the policy's edits.",
            _label("Context in tokens over turns, at most", drawn.most("context"), "{:,}"), "{:,}",
            _spec(drawn, "context", 240, axis={"format": "~s"}, marked=bool(drawn.marks)),
        ),
        Chart(
            "cost", "Cost so far", _cost_note(costs, top),
            _label("Cost in dollars over turns, in the end", costs, "${:,.2f}"), "${:,.2f}",
            _spec(drawn, "cost", 170, axis={"format": "$,.4~f"}, domain=[0, top] if top else None),
        ),
        Chart(
            "share", "Read from the cache", "Share of all input so far; it sinks where a cache is written anew.",
            _label("Share of the input read from the cache, in the end", drawn.last("share"), "{:.1%}"), "{:.1%}",
            _spec(drawn, "share", 130, axis={"format": ".0%", "tickCount": 3}, domain=[0, 1]),
        ),
    ]  # fmt: skip
    return [chart for chart in made if drawn.last(chart.value)]


def _top(costs: Sequence[tuple[str, float]]) -> float | None:
    ours = max((cost for name, cost in costs if name != BASELINE), default=0.0)
    return round(ours * 1.25, 4) if ours and dict(costs).get(BASELINE, 0.0) > FAR * ours else None


def _cost_note(costs: Sequence[tuple[str, float]], top: float | None) -> str:
    note = "Dollars up to each turn, at the model's own prices."
    return f"{note} The line of {BASELINE} goes on to ${dict(costs)[BASELINE]:,.2f}." if top else note


def _label(title: str, values: Sequence[tuple[str, Any]], form: str) -> str:
    return f"{title}: {', '.join(f'{name} {form.format(value)}' for name, value in values)}"


def _spec(
    drawn: Drawn, value: str, height: int, *, axis: Spec, domain: list[float] | None = None, marked: bool = False
) -> Spec:
    numbers = list(range(len(drawn.policies)))
    scale = {"domain": domain, "nice": False} if domain else {"zero": True}
    encoding = {
        "x": {
            "field": "turn", "type": "quantitative", "title": "turn", "axis": {"grid": False, "tickMinStep": 1},
            "scale": {"domain": [1, max(drawn.session.turns, 2)], "nice": False},
        },
        "y": {"field": value, "type": "quantitative", "title": None, "axis": {"tickCount": 5, **axis}, "scale": scale},
        "color": {"field": "policy", "type": "nominal", "scale": {"domain": numbers}, "legend": None},
    }  # fmt: skip
    layers = [
        _line(alone=drawn.session.turns == 1),
        *([_marks(numbers)] if marked else []),
        _hover(value, axis["format"]),
    ]
    return {"width": "container", "height": height, "data": {"name": "points"}, "encoding": encoding, "layer": layers}


def _line(*, alone: bool) -> Spec:
    dash = {"condition": {"test": "datum.policy === 0", "value": [6, 5]}, "value": [1, 0]}
    mark = {"type": "line", "clip": True, "strokeWidth": 1.75, "point": alone}
    return {"mark": mark, "encoding": {"strokeDash": dash}}


def _marks(numbers: list[int]) -> Spec:
    shapes = {"domain": list(MARKS), "range": list(MARKS.values())}
    shape = {"field": "mark", "type": "nominal", "scale": shapes, "legend": None}
    stroke = {"field": "policy", "type": "nominal", "scale": {"domain": numbers}, "legend": None}
    hollow = {"condition": {"test": f"datum.mark === '{NEEDED}'", "value": 0}, "value": 1}
    mark = {"type": "point", "filled": True, "size": 45, "strokeWidth": 1.5, "opacity": 1}
    tooltip = [*_words("context", "~s"), {"field": "why", "title": "why"}]
    encoding = {"shape": shape, "fillOpacity": hollow, "stroke": stroke, "tooltip": tooltip}
    return {"data": {"name": "marks"}, "mark": mark, "encoding": encoding}


def _hover(value: str, form: str) -> Spec:
    nearest = {"type": "point", "on": "pointerover", "clear": "pointerout", "nearest": True}
    seen = {"condition": {"param": "at", "empty": False, "value": 1}, "value": 0}
    mark = {"type": "point", "filled": True, "size": 45, "clip": True}
    encoding = {"opacity": seen, "tooltip": _words(value, form)}
    return {"params": [{"name": "at", "select": nearest}], "mark": mark, "encoding": encoding}


def _words(value: str, form: str) -> list[Spec]:
    form = {"~s": ",", "$,.4~f": "$,.2f", ".0%": ".1%"}.get(form, form)
    return [
        {"field": "name", "title": "policy"},
        {"field": "turn", "title": "turn"},
        {"field": value, "title": value, "format": form, "type": "quantitative"},
    ]
