"""The edits as models: which shapes they take."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from ctxengine.edits import EDITS, AnyEdit, OpaqueEdit, type_of

CASES = json.loads((Path(__file__).parent / "cases" / "shapes.json").read_text())
ADAPTER: TypeAdapter[Any] = TypeAdapter(AnyEdit)


@pytest.mark.parametrize("case", CASES, ids=lambda case: json.dumps(case["edit"]))
def test_shapes(case: dict[str, Any]) -> None:
    """An edit of this shape is taken, and comes out as it went in; or it is refused."""
    if case["fits"]:
        edit = ADAPTER.validate_python(case["edit"])
        assert type(edit) is EDITS.get(case["edit"]["type"], OpaqueEdit)
        assert edit.model_dump(exclude_unset=True) == case["edit"]
    else:
        with pytest.raises(ValidationError):
            ADAPTER.validate_python(case["edit"])


@pytest.mark.parametrize("type", EDITS)
def test_nothing_but_type(type: str) -> None:
    """Every edit can be asked for by its type alone, and is found by it."""
    edit = EDITS[type].model_validate({"type": type})
    assert type_of(EDITS[type]) == type
    assert edit.model_dump(exclude_defaults=True) == {"type": type}
