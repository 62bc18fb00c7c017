"""``python -m examples.record [NAME…]``: record the scenarios again into ``examples/transcripts/``."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from examples.record.loop import record
from examples.record.scenarios import SCENARIOS

FOLDER = Path(__file__).resolve().parents[1] / "transcripts"


def main(names: list[str]) -> int:
    unknown = sorted(set(names) - SCENARIOS.keys())
    if unknown:
        print(f"no such scenario: {', '.join(unknown)}; there are {', '.join(SCENARIOS)}", file=sys.stderr)
        return 2
    for name in names or SCENARIOS:
        transcript = record(SCENARIOS[name])
        text = json.dumps(transcript, indent=1, ensure_ascii=False) + "\n"
        (FOLDER / f"{name}.json").write_text(text, encoding="utf-8")
        print(f"{name}: {len(transcript['request']['messages'])} messages, {len(text.encode()):,} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
