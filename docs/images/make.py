"""``python docs/images/make.py``: photograph the report of shipped transcripts, in Debian's chromium."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

from ctxengine.simulate import simulate
from ctxengine.simulate.report import report

ROOT = Path(__file__).resolve().parents[2]
TRANSCRIPTS = [ROOT / "examples" / "transcripts" / f"{name}.json" for name in ("bug-hunt", "stdlib-audit")]
POLICIES = [str(ROOT / "examples" / "policies" / "caching.json"), "ctxengine:agentic", "ctxengine:cost-saver"]
WIDTH = 820


def photograph(html: str, picture: Path) -> None:
    """The page from its head to the end of the chart of costs."""
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as play:
        page_file = Path(folder) / "report.html"
        page_file.write_text(html, encoding="utf-8")
        browser = play.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": WIDTH, "height": 800})
        page.goto(page_file.as_uri())
        page.wait_for_selector("[data-drawn]")
        box = page.locator("figure").nth(1).locator(".chart").bounding_box()
        assert box is not None
        clip = {"x": 0, "y": 0, "width": WIDTH, "height": box["y"] + box["height"]}
        page.screenshot(path=picture, full_page=True, clip=clip)
        browser.close()


if __name__ == "__main__":
    photograph(report(simulate(TRANSCRIPTS, POLICIES)), ROOT / "docs" / "images" / "report.png")
