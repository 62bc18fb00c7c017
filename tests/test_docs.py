"""The pages say what is so: commands run, policies load, what is shown is what comes out, links lead somewhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.pages import BLOCK, PAGES, played

LINK = re.compile(r"\]\(([^)\s#]+)(?:#[^)\s]*)?\)")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_page_is_real(page: Path) -> None:
    """Played from top to bottom, the page is what it is."""
    assert played(page) == page.read_text(encoding="utf-8"), "run: python -m tests.pages, and look at what changed"


def test_pages_have_something_to_play() -> None:
    """The hand-written pages hold commands, code and policies."""
    found = {page.name: {block[1] for block in BLOCK.finditer(page.read_text(encoding="utf-8"))} for page in PAGES}
    assert {"console", "python"} <= found["README.md"]
    assert {"console", "python", "json"} <= found["getting-started.md"] & found["policy.md"] & found["catalog.md"]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links(page: Path) -> None:
    """Every file that a page links to is there."""
    linked = [link for link in LINK.findall(page.read_text(encoding="utf-8")) if "://" not in link]
    assert [link for link in linked if not (page.parent / link).exists()] == []
