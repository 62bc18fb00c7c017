"""The schema of transcript.v1 is in step with the code and agrees with the reader."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from ctxengine.transcripts import transcript_schema

FILE = Path(__file__).parents[2] / "schemas" / "transcript.v1.schema.json"
CASES = [
    case
    for case in json.loads((Path(__file__).parent / "cases" / "messages.json").read_text())
    if "version" in case.get("document", {})
]


def test_committed() -> None:
    """The committed schema is what the code generates."""
    remedy = "run: ctxengine schema transcript > schemas/transcript.v1.schema.json"
    assert FILE.exists(), remedy
    assert json.loads(FILE.read_text()) == transcript_schema(), remedy


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["it"])
def test_agrees_with_the_reader(case: dict[str, Any]) -> None:
    """The schema takes the documents that the reader takes, and no others."""
    jsonschema.Draft202012Validator.check_schema(transcript_schema())
    fits = jsonschema.Draft202012Validator(transcript_schema()).is_valid(case["document"])
    assert fits == ("transcripts" in case)
