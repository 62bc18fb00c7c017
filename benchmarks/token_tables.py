"""The tables of docs/token-sizes.md, made from the catalog's rows."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from ctxengine.catalog import TokenizerFact

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs" / "token-sizes.md"
TOKENIZERS = ROOT / "ctxengine" / "catalog" / "data" / "tokenizers.json"
MARK = "<!-- tables: benchmarks/calibrate_tokens.py -->"


def with_tables(text: str, rows: Iterable[TokenizerFact]) -> str:
    """``text`` with whatever stands between the two marks replaced; a text without marks becomes the tables alone."""
    before, _, rest = text.partition(MARK)
    after = rest.partition(MARK)[2]
    ordered = sorted(rows, key=lambda row: row.name)
    return f"{before}{MARK}\n{_weights(ordered)}\n{_errors(ordered)}{MARK}{after}"


def _weights(rows: list[TokenizerFact]) -> str:
    lines = ["| tokens per | " + " | ".join(row.name for row in rows) + " |", "|---" * (len(rows) + 1) + "|"]
    for name in sorted(rows[0].weights):
        rough = " (rough)" if name in rows[0].rough else ""
        lines.append(f"| {name}{rough} | " + " | ".join(f"{row.weights[name]:g}" for row in rows) + " |")
    lines.append("| band | " + " | ".join(f"{row.low:.2f} to {row.high:.2f}" for row in rows) + " |")
    lines.append("| slack | " + " | ".join(f"±{row.slack}" for row in rows) + " |")
    return "\n".join(lines) + "\n"


def _errors(rows: list[TokenizerFact]) -> str:
    lines = ["| tokenizer | data held out | n | error p50 | error p90 | in the band |", "|---|---|---:|---:|---:|---:|"]
    for row in rows:
        for kind, seen in row.errors.items():
            figures = f"{seen['n']:.0f} | {seen['p50']:.1%} | {seen['p90']:.1%} | {seen['in_band']:.0%}"
            lines.append(f"| {row.name} | {kind} | {figures} |")
    return "\n".join(lines) + "\n"
