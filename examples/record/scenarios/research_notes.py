"""Reading for a report: very large reads, a note on each in memory, and a report made of the notes."""

from __future__ import annotations

import re
from collections.abc import Generator
from dataclasses import dataclass

from examples.record.loop import Ask, Call, Reply, Result, Scenario, Script

READS = {
    "tarfile": 2, "zipfile": 2, "subprocess": 2, "threading": 2, "selectors": 1, "contextlib": 1, "weakref": 1,
    "socket": 1, "logging/__init__": 2, "asyncio/base_events": 2, "concurrent/futures/process": 1, "multiprocessing/pool": 1,
    "shelve": 1, "sched": 1, "queue": 1, "socketserver": 1, "http/client": 2, "ftplib": 1, "smtplib": 1, "ssl": 1,
}  # fmt: skip
"""Modules, and how many reads each takes."""
LINES = 800
NOTES = "/memories/resources.md"
SIGNS = {
    "close methods": r"\t +def close\(",
    "context managers": r"\t +def __enter__\(",
    "finalizers": r"weakref\.finalize\(|def __del__\(",
    "with blocks": r"\t +with .*:$",
    "warnings": r"ResourceWarning",
}


@dataclass(frozen=True)
class Finding:
    """What one read showed: how often each sign occurs, and the first line worth quoting."""

    read: Call
    counts: dict[str, int]
    line: str
    quote: str

    @property
    def where(self) -> str:
        return f"{self.read.input['path']}:{self.line}"

    def __str__(self) -> str:
        counts = ", ".join(f"{count} {sign}" for sign, count in self.counts.items())
        return f"- {self.where}: `{self.quote}`; {counts}"


def script() -> Script:
    yield Ask(
        "How do the modules under stdlib/ give resources back? Read them in full, note findings in memory, then write it up."
    )
    yield Reply(
        "Notes of an earlier session first, and what there is to read.",
        thinking="The reading will not fit into my context at once, so the notes have to carry the findings.",
        calls=(Call("memory", {"command": "view", "path": "/memories"}), Call("list_dir", {"path": "stdlib"})),
    )
    yield Reply(
        calls=(Call("memory", {"command": "create", "path": NOTES, "file_text": "# How resources are given back\n"}),)
    )
    findings: list[Finding] = []
    for number, (module, reads) in enumerate(READS.items()):
        for part in range(reads):
            findings.append((yield from _read(f"stdlib/{module}.py", 1 + part * LINES, len(findings))))
        if number % 4 == 3:
            yield from _interim(findings)
    yield from _write_up(findings)


def _read(path: str, start: int, noted: int) -> Generator[Ask | Reply, list[Result], Finding]:
    read = Call("read_file", {"path": path, "start": start, "lines": LINES})
    (text,) = yield Reply(
        thinking=f"{path} from line {start}: who closes, and what happens when nobody does?" if start == 1 else "",
        calls=(read,),
    )
    finding = _finding(read, text.text)
    insert = {"command": "insert", "path": NOTES, "insert_line": 1 + noted, "insert_text": f"{finding}\n"}
    yield Reply(f"{_says(finding)} Noted.", calls=(Call("memory", insert),))
    return finding


def _finding(read: Call, text: str) -> Finding:
    counts = {sign: len(re.findall(pattern, text, re.MULTILINE)) for sign, pattern in SIGNS.items()}
    shown = re.search("|".join(f".*(?:{pattern}).*" for pattern in SIGNS.values()), text, re.MULTILINE)
    line, _, quote = (shown[0] if shown else text.splitlines()[0]).strip().partition("\t")
    return Finding(read, counts, line, quote.strip())


def _says(finding: Finding) -> str:
    most = max(finding.counts, key=lambda sign: finding.counts[sign])
    return f"Above all {most}: {finding.counts[most]}." if finding.counts[most] else "Nothing is held open here."


def _interim(findings: list[Finding]) -> Script:
    most = max(findings, key=lambda finding: sum(finding.counts.values()))
    yield Ask("Where do you stand? Just the strongest example so far, with its line.")
    yield Reply(
        f"`{most.quote}` at {most.where}, one of {sum(most.counts.values())} places in that read. I go on reading."
    )
    yield Ask("Go on.")


def _write_up(findings: list[Finding]) -> Script:
    yield Reply(
        "That was the last one.",
        thinking="The early reads are long past; the notes have what I need.",
        calls=(Call("memory", {"command": "view", "path": NOTES}),),
    )
    totals = {sign: sum(finding.counts[sign] for finding in findings) for sign in SIGNS}
    quoted = "\n".join(f"- `{finding.quote}` ({finding.where})" for finding in findings if any(finding.counts.values()))
    yield Reply(
        f"{', '.join(f'{total} {sign}' for sign, total in totals.items())} in {len(findings)} reads. The first of each:\n\n{quoted}"
    )
    yield Ask("I want to see two of them in their surroundings: the first you noted, and the strongest.")
    strongest = max(findings, key=lambda finding: sum(finding.counts.values()))
    yield Reply(thinking="A line is not enough for that; I read both again.", calls=(findings[0].read, strongest.read))
    yield Reply(
        f"There they are: `{findings[0].quote}` at {findings[0].where} and `{strongest.quote}` at {strongest.where}, as noted."
    )
    yield Ask("Thanks. Now shorten the report to half a page.")


SCENARIO = Scenario(
    name="research-notes",
    description="Very large reads, each with a note in memory; the report quotes what was read long before.",
    request={
        "model": "claude-opus-4-6",
        "max_tokens": 8192,
        "system": "You read source code and report. Files are read in full, a finding with its line goes into memory after each read, and reports quote lines.",
        "thinking": {"type": "adaptive"},
    },
    tools=("memory", "list_dir", "read_file", "grep"),
    script=script,
    files=tuple(f"{module}.py" for module in READS),
)
