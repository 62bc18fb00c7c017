"""Where the real conversations beside the repository are, and which of them there are readers for."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

CORPUS = Path(os.environ.get("CTXENGINE_CORPUS") or Path(__file__).parents[2] / "shared" / "data") / "transcripts"
MISSING = "no real conversations here: name their folder in CTXENGINE_CORPUS"
_MANIFEST = CORPUS / "MANIFEST.json"

ENTRIES: tuple[dict[str, Any], ...] = tuple(
    entry
    for entry in (json.loads(_MANIFEST.read_text(encoding="utf-8"))["files"] if _MANIFEST.exists() else ())
    if entry["file"].startswith(("cc_", "pi_", "tau_")) or "function_calling" in entry["file"]
)
"""Rows of the manifest, in its order; none where the data is not."""
