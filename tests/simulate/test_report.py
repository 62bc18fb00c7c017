"""The report: what it holds, what stays text in it, when it appears; and how Chromium shows it."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from ctxengine.cli.group import cli
from ctxengine.simulate import simulate
from ctxengine.simulate.report import report
from ctxengine.transcripts import Transcript

if TYPE_CHECKING:
    from playwright.sync_api import Page

MODEL = "claude-opus-4-6"
EVIL = "</script><script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\">"
EXAMPLE = str(Path(__file__).parents[2] / "examples" / "transcripts" / "support-desk.json")


def conversation(name: str, turns: int = 6, tool: str = "read") -> Transcript:
    """Each turn reads another file, but for the last, which reads the first again."""
    messages: list[dict[str, Any]] = [{"role": "user", "content": "Go"}]
    for turn in range(turns):
        use = {"type": "tool_use", "id": f"t{turn}", "name": tool, "input": {"path": str(turn % (turns - 1))}}
        result = {"type": "tool_result", "tool_use_id": f"t{turn}", "content": "line\n" * 400}
        messages += [{"role": "assistant", "content": [use]}, {"role": "user", "content": [result]}]
    return Transcript(name, "messages", {"model": MODEL, "messages": messages})


def clear(name: str) -> dict[str, Any]:
    edit = {"type": "clear_tool_uses_20250919", "trigger": {"type": "tool_uses", "value": 1}}
    return {"version": "1", "name": name, "edits": [{**edit, "keep": {"type": "tool_uses", "value": 1}}]}


def data_of(html: str) -> Any:
    (found,) = re.findall(r'<script type="application/json" id="data">(.*?)</script>', html, re.DOTALL)
    return json.loads(found)


def markup_of(html: str) -> str:
    """The page down to its scripts."""
    return html.partition('<script type="application/json"')[0]


def run(*arguments: str) -> int:
    return CliRunner().invoke(cli, ["simulate", EXAMPLE, "--policy", "ctxengine:agentic", *arguments]).exit_code


def test_points_are_the_rows() -> None:
    """Every turn of every policy is a point, with the context and the sum of the costs up to it."""
    results = simulate([conversation("c")], [clear("clear")])
    (session,) = data_of(report(results))
    points = sorted(session["points"], key=lambda point: point["policy"])
    assert [point["context"] for point in points] == [row["context"] for row in results.rows()]
    ends = [point["cost"] for point in points if point["turn"] == 6]
    assert ends == [pytest.approx(totals["cost_usd"], abs=1e-4) for totals in results.totals()]


def test_marks_tell_what_happened() -> None:
    """Clearings are marked with their reason, and so is the turn that comes back to what is gone, turn by turn."""
    (session,) = data_of(report(simulate([conversation("c")], [clear("clear"), clear("again")])))
    marks = [(mark["turn"], mark["name"], mark["mark"]) for mark in session["marks"]]
    assert marks == [
        *((turn, name, "clearing") for turn in (3, 4, 5) for name in ("clear", "again")),
        *((6, name, mark) for name in ("clear", "again") for mark in ("clearing", "needed again")),
    ]
    assert "clears 1 more tool use(s)" in session["marks"][0]["why"]


def test_long_conversations_are_thinned() -> None:
    """Of a conversation with more turns than a screen shows some are drawn, the first and the last among them."""
    results = simulate([conversation("c", turns=1001)], [{"version": "1"}])
    turns = [point["turn"] for point in data_of(report(results))[0]["points"] if point["policy"] == 0]
    assert (turns[0], turns[-1], len(turns)) == (1, 1001, 335)


def test_the_longest_are_drawn() -> None:
    """Of many conversations the page draws the ten longest, in their order, and says so."""
    html = report(simulate([conversation(f"c{turns}", turns) for turns in range(2, 14)], [{"version": "1"}]))
    assert re.findall(r"<bdi>(c\d+)</bdi>", html) == [f"c{turns}" for turns in range(4, 14)]
    assert "The 10 longest of 12 conversations." in html


def test_markup_stays_text() -> None:
    """Names of conversations, policies, models and files open no element, and a lone surrogate breaks nothing."""
    results = simulate([conversation(EVIL + "\ud800", tool=EVIL), EVIL], [clear(EVIL)], model=EVIL)
    html = report(results, [EVIL])
    assert html.count("<script") == 3
    assert "<img" not in markup_of(html)
    assert html.encode()


def test_nothing_to_compare(tmp_path: Path) -> None:
    """Where no conversation can be read the page names the problem and shows no table."""
    html = report(simulate([tmp_path / "none.json"], [{"version": "1"}]))
    assert "none.json" in html
    assert "<table" not in markup_of(html)


def test_the_file_is_whole(tmp_path: Path) -> None:
    """The option writes one whole page, and nothing beside it stays."""
    page = tmp_path / "report.html"
    assert run("--report", str(page)) == 0
    assert page.read_text(encoding="utf-8").endswith("</html>")
    assert list(tmp_path.iterdir()) == [page]


def test_a_broken_run_leaves_no_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run that ends early leaves the page of the last one as it was."""
    page = tmp_path / "report.html"
    page.write_text("before")
    monkeypatch.setattr("ctxengine.simulate.report.Page.add", lambda page, session: 1 / 0)
    assert run("--report", str(page)) != 0
    assert [file.read_text() for file in tmp_path.iterdir()] == ["before"]


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    chromium = shutil.which("chromium")
    assert chromium, "Debian's chromium is not installed: apt-get install chromium"
    with sync_playwright() as play:
        opened = play.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield opened
        opened.close()


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> str:
    results = simulate([conversation(EVIL, 60, EVIL), conversation("second")], [clear(EVIL), clear("long " * 40)])
    file = tmp_path_factory.mktemp("report") / "report.html"
    file.write_text(report(results, [EVIL]), encoding="utf-8")
    return file.as_uri()


@pytest.fixture(params=[("light", 1000), ("dark", 1000), ("light", 390)], ids=lambda given: f"{given[0]}-{given[1]}")
def shown(request: pytest.FixtureRequest, browser: Any, address: str) -> Iterator[Page]:
    """The page as opened; when it closes, nothing was fetched and nothing complained."""
    scheme, width = request.param
    context = browser.new_context(color_scheme=scheme, viewport={"width": width, "height": 800})
    page: Page = context.new_page()
    heard: list[str] = []
    page.on("console", lambda message: heard.append(message.text))
    page.on("pageerror", lambda error: heard.append(str(error)))
    page.on("request", lambda asked: heard.append(asked.url) if asked.url != address else None)
    page.goto(address)
    page.wait_for_selector("[data-drawn] svg")
    yield page
    context.close()
    assert heard == []


@pytest.mark.browser
def test_page_in_a_browser(shown: Page) -> None:
    """Three charts are drawn, what was injected is text, and only tables scroll sideways."""
    assert shown.locator(".chart svg").count() == 3
    assert shown.title().startswith("Policies compared: no policy, </script>")
    assert shown.locator("img").count() == 0
    assert shown.evaluate("document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.browser
def test_tooltip_in_a_browser(shown: Page) -> None:
    """What is under the pointer is named, as text."""
    shown.locator(".chart svg").first.hover(position={"x": 150, "y": 200})
    tooltip = shown.locator("#vg-tooltip-element.visible")
    tooltip.wait_for()
    assert "turn" in tooltip.inner_text()
    assert tooltip.locator("img, script").count() == 0


@pytest.mark.browser
def test_keyboard_in_a_browser(shown: Page) -> None:
    """The second conversation opens by keyboard, is then drawn, and its numbers are a table."""
    second = shown.locator("details.session").nth(1)
    second.locator("summary").first.focus()
    shown.keyboard.press("Enter")
    second.locator(".chart svg").first.wait_for()
    shown.keyboard.press("Tab")
    shown.keyboard.press("Enter")
    assert second.get_by_role("region", name="Context, numbers").get_by_role("row").count() == 7


@pytest.mark.browser
@pytest.mark.parametrize(
    "tried", ["script.textContent = 'owned = 1'", "document.body.setAttribute('onclick', 'owned = 1')"]
)
def test_other_scripts_do_not_run(browser: Any, address: str, tried: str) -> None:
    """Even what would get into the page as a script or a handler is not run."""
    page = browser.new_page()
    page.goto(address)
    page.evaluate(f"const script = document.createElement('script'); {tried}; document.body.append(script)")
    page.locator("h1").click()
    assert page.evaluate("typeof owned") == "undefined"
    page.close()


@pytest.mark.browser
def test_colours_follow_the_system(browser: Any, address: str) -> None:
    """The charts are drawn anew when light turns dark."""
    page = browser.new_page(color_scheme="light")
    page.goto(address)
    line = page.locator(".chart svg .mark-line path").last
    light = line.get_attribute("stroke")
    page.emulate_media(color_scheme="dark")
    page.wait_for_function("before => !document.querySelector(`.mark-line path[stroke='${before}']`)", arg=light)
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(20, 23, 26)"
    page.close()
