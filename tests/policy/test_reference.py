"""The page about a policy's keys is the one the schema makes, and its links lead somewhere."""

from __future__ import annotations

import re
from pathlib import Path

from ctxengine.policy.reference import policy_markdown

PAGE = Path(__file__).parents[2] / "docs" / "policy-reference.md"


def test_page_is_current() -> None:
    """docs/policy-reference.md holds every key as it is now."""
    remedy = "run: ctxengine schema policy --format markdown > docs/policy-reference.md"
    assert PAGE.read_text(encoding="utf-8") == policy_markdown(), remedy


def test_links() -> None:
    """Every part that a type names has its section."""
    page = policy_markdown()
    sections = {title.replace(" ", "-") for title in re.findall(r"^#+ (.+)$", page, re.MULTILINE)}
    linked = set(re.findall(r"\]\(#([^)]+)\)", page))
    assert linked and linked <= sections
