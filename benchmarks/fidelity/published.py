"""Published tables beside ours: the same sizes through the engine's arithmetic.

Run ``python -m benchmarks.fidelity.published``; it needs no data. A parameter that was fitted to what it is compared
with is called so.
"""

from __future__ import annotations

from benchmarks.fidelity.published_costs import claims, triage
from benchmarks.fidelity.published_documents import all_three, clearing, other_documents
from benchmarks.fidelity.published_tickets import tickets
from benchmarks.fidelity.shown import table

TABLES = (
    ("Tickets: compaction at 5,000 tokens", ("", "published", "ours", "remark"), tickets),
    (
        "Documents: clearing above 30,000, keep 4",
        ("request", "published", "ours", "cleared", "ours", "results"),
        clearing,
    ),
    (
        "Documents: clearing above 200,000, keep 6, and compaction at 180,000",
        ("request", "published", "ours", "cleared", "ours, as then", "results", "ours, as since"),
        all_three,
    ),
    ("Documents: the other runs", ("", "published", "ours", "remark"), other_documents),
    ("Claims: what three claims cost", ("", "published", "ours", "with the compaction's own pass"), claims),
    ("Triage: cost against unmanaged", ("", "published", "ours", "ours, clear_at_least 20,000"), triage),
)


def tables() -> str:
    """All of them, as Markdown."""
    return "\n\n".join(f"#### {title}\n{table(head, rows())}" for title, head, rows in TABLES)


if __name__ == "__main__":
    print(tables())
