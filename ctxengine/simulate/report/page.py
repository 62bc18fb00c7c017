"""From sessions to the page: collecting the ones that are drawn, the comparison, and the template."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable, Sequence
from functools import cache
from hashlib import sha256
from heapq import heappush, heappushpop
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ctxengine.findings import Finding
from ctxengine.simulate.comparison import compared
from ctxengine.simulate.report.charts import charts
from ctxengine.simulate.report.drawn import CLEARING, COMPACTION, NEEDED, OVERFLOW, drawn
from ctxengine.simulate.summing import Said, Summed
from ctxengine.simulate.totals import verdict

if TYPE_CHECKING:
    from ctxengine.simulate import Results, Session

HERE = Path(__file__).parent
DRAWN = 10
"""Conversations that are drawn, the longest ones; the table holds all."""
SIGNS = {CLEARING: "▼", COMPACTION: "◆", NEEDED: "○", OVERFLOW: "✚"}


class Page:
    """Takes sessions as they go by. No more than the longest few are held, so their number costs no memory."""

    def __init__(self, policies: Sequence[str]) -> None:
        self.policies = tuple(policies)
        self.sessions = 0
        self._longest: list[tuple[int, int, Session]] = []

    def add(self, session: Session) -> None:
        if not session.turns:
            return
        self.sessions += 1
        entry = (session.turns, -self.sessions, session)
        (heappush if len(self._longest) < DRAWN else heappushpop)(self._longest, entry)

    def html(self, summed: Summed, said: Iterable[Finding], notes: Iterable[str] = ()) -> str:
        """The whole page.

        Args:
            summed: the sessions that can be compared.
            said: what there is to say of them all.
            notes: what the numbers rest on, a sentence each.
        """
        longest = sorted(self._longest, key=lambda entry: -entry[1])
        pictures = [drawn(session, self.policies) for _, _, session in longest]
        made = [(picture, charts(picture)) for picture in pictures]
        data = [
            {"points": picture.points, "marks": picture.marks, "charts": [chart.spec for chart in each]}
            for picture, each in made
        ]
        text: str = _template().render(
            policies=self.policies, sessions=self.sessions, summed=summed, verdict=verdict(summed.totals).split("; "),
            lines=compared(summed.totals), drawn=made, data=data, notes=list(notes), said=list(said), signs=SIGNS,
        )  # fmt: skip
        return text.encode("utf-8", "replace").decode("utf-8")


def report(results: Results, notes: Iterable[str] = ()) -> str:
    """The page of results that are all there."""
    page, said = Page(results.policies), Said()
    for session in results.sessions:
        page.add(session)
        said.add(session)
    return page.html(results.summed(), said, notes)


@cache
def _template() -> Any:
    """The template with everything that is the same on every page: style, scripts, and their hashes for the policy."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from vl_convert import javascript_bundle

    environment = Environment(
        autoescape=True, loader=FileSystemLoader(HERE), undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    files = {name: (HERE / name).read_text(encoding="utf-8") for name in ("page.css", "page.js")}
    parts = {
        "style": files["page.css"],
        "bundle": _in_script(javascript_bundle("window.vegaEmbed = vegaEmbed;")),
        "script": files["page.js"],
    }
    environment.globals.update(parts)
    environment.globals["hashes"] = {name: _hash(text) for name, text in parts.items()}
    return environment.get_template("page.html")


def _in_script(code: str) -> str:
    """The same code without what would end the element that holds it."""
    return code.replace("</script", "<\\/script").replace("<!--", "<\\!--")


def _hash(text: str) -> str:
    return "sha256-" + b64encode(sha256(text.encode()).digest()).decode()
