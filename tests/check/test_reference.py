"""The page of rules in the docs is the one the code makes, and leaves no finding out."""

from __future__ import annotations

import re
from pathlib import Path

import ctxengine
from ctxengine.check import RULES, finding_ids
from ctxengine.check.reference import rules_markdown

PAGE = Path(__file__).parents[2] / "docs" / "rules.md"
PACKAGE = Path(ctxengine.__file__).parent
FINDING = re.compile(r'(?:Finding|_say)\(\s*"([a-z0-9]+(?:-[a-z0-9]+)+)"')


def test_rules_page_is_current() -> None:
    """docs/rules.md holds every rule as it is now."""
    made = rules_markdown(RULES)
    assert PAGE.read_text(encoding="utf-8") == made, "ctxengine rules --format markdown > docs/rules.md"


def test_every_finding_is_on_the_page() -> None:
    """An id that the code gives a finding is a rule's, or stands among the other findings."""
    used = {id for file in PACKAGE.rglob("*.py") for id in FINDING.findall(file.read_text(encoding="utf-8"))}
    assert used
    assert used <= finding_ids(RULES)
