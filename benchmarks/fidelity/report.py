"""The tables of ``docs/fidelity.md``, between its markers.

python -m benchmarks.fidelity.report           prints the page with fresh ones
python -m benchmarks.fidelity.report --write   writes them into the page too
"""

from __future__ import annotations

import argparse
import re
import sys
from collections import Counter
from collections.abc import Callable, Collection, Mapping
from pathlib import Path

from benchmarks.fidelity.cache_bills import Sums, groups, sessions
from benchmarks.fidelity.published import tables
from benchmarks.fidelity.recordings import agreement_table, compared, disagreement_table
from benchmarks.token_pairs import corpus
from ctxengine.catalog import default_catalog

PAGE = Path(__file__).resolve().parents[2] / "docs" / "fidelity.md"
MARKED = re.compile(r"(<!-- table: ([\w-]+) -->\n).*?(<!-- end -->)", re.DOTALL)


def recordings() -> str:
    rows = compared(corpus() / "recordings")
    return f"{agreement_table(rows)}\n\n{disagreement_table(rows)}"


def bills() -> str:
    """The cache model against session logs, in all and by reason."""
    found = sessions(corpus())
    lines = [
        "| requests | pairs | hit or miss as billed | read | written | cost of the prompt | tokens billed otherwise |",
        f"|---{'|---:' * 6}|",
    ]
    for name, pairs, chosen in groups(found):
        sums = Sums.of(pairs)
        agree = "" if chosen else f"{sums.agree:.1%}"
        more = " | ".join(f"{each:+.1%}" for each in (sums.more_read, sums.more_written, sums.dearer))
        lines.append(f"| {name} | {sums.pairs:,} | {agree} | {more} | {sums.otherwise:.1%} |")
    lines += ["", "| pair | agrees | how many |", "|---|---|---:|"]
    reasons = Counter(pair.reason for pairs in found for pair in pairs)
    lines += [f"| {why.words} | {'yes' if why.agrees else 'no'} | {many:,} |" for why, many in reasons.most_common()]
    return "\n".join(lines)


def switches() -> str:
    lines = ["| switch | as it ships | instead | confidence | source |", "|---|---|---|---|---|"]
    for row in default_catalog().switches.values():
        instead = ", ".join(f"`{each}`" for each in row.alternatives)
        lines.append(f"| `{row.name}` | `{row.value}` | {instead} | {row.confidence} | {row.source} |")
    return "\n".join(lines)


def wordings() -> str:
    rows = default_catalog().wire_errors.values()
    assumed = [row for row in rows if row.wording == "assumed"]
    lines = [f"{len(rows) - len(assumed)} of {len(rows)} refusals are worded as recorded; these are not:", ""]
    lines += ["| refusal | status | words |", "|---|---:|---|"]
    return "\n".join([*lines, *(f"| `{row.id}` | {row.status} | {row.message} |" for row in assumed)])


TABLES: Mapping[str, Callable[[], str]] = {
    "recordings": recordings,
    "bills": bills,
    "published": tables,
    "switches": switches,
    "wordings": wordings,
}
FROM_DATA = ("recordings", "bills")
"""Those that need the data beside the repository, and stay as they are without it."""


def with_tables(text: str, names: Collection[str]) -> str:
    """The page with fresh tables of these names."""

    def fresh(found: re.Match[str]) -> str:
        return f"{found[1]}{TABLES[found[2]]()}\n{found[3]}" if found[2] in names else found[0]

    return MARKED.sub(fresh, text)


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure fidelity.")
    parser.add_argument("--write", action="store_true", help="write the tables into docs/fidelity.md")
    write = parser.parse_args().write
    possible = tuple(name for name in TABLES if corpus().is_dir() or name not in FROM_DATA)
    if left := [name for name in TABLES if name not in possible]:
        print(f"left as they are, since CTXENGINE_CORPUS names no data: {', '.join(left)}", file=sys.stderr)
    page = with_tables(PAGE.read_text(encoding="utf-8"), possible)
    if write:
        PAGE.write_text(page, encoding="utf-8")
    print(page)


if __name__ == "__main__":
    main()
