"""A long audit of error handling: thinking, parallel calls, notes in memory, far more tool output than anyone keeps."""

from __future__ import annotations

import random
import re
from collections.abc import Generator
from dataclasses import dataclass

from examples.record.loop import Ask, Call, Reply, Result, Scenario, Script

BATCHES = {
    "the data formats": ("json/decoder.py", "json/encoder.py", "configparser.py", "csv.py", "plistlib.py"),
    "the network clients": (
        "http/client.py",
        "http/cookiejar.py",
        "urllib/request.py",
        "urllib/parse.py",
        "smtplib.py",
    ),
    "threads and processes": (
        "threading.py",
        "queue.py",
        "concurrent/futures/thread.py",
        "concurrent/futures/process.py",
        "subprocess.py",
    ),
    "files and archives": ("shutil.py", "tempfile.py", "zipfile.py", "tarfile.py", "glob.py"),
    "asyncio": (
        "asyncio/base_events.py",
        "asyncio/tasks.py",
        "asyncio/streams.py",
        "asyncio/selector_events.py",
        "asyncio/queues.py",
    ),
    "logging and the tools": ("logging/__init__.py", "logging/handlers.py", "unittest/case.py", "pdb.py", "inspect.py"),
}
NOTES = "/memories/audit.md"
BROAD = re.compile(r":(\d+): +except( BaseException| Exception)?( as \w+)?:")
HANDLERS = r"^ *except\b"
LINES_READ = 75

SMELLS = """\
import ast, pathlib
tree = ast.parse(pathlib.Path("stdlib/{module}").read_text(encoding="utf-8"))
for node in ast.walk(tree):
    if isinstance(node, ast.ExceptHandler) and all(isinstance(step, ast.Pass) for step in node.body):
        print("swallowed", node.lineno, ast.unparse(node.type) if node.type else "everything")
    elif isinstance(node, ast.FunctionDef) and any(isinstance(d, ast.List | ast.Dict) for d in node.args.defaults):
        print("mutable default", node.lineno, node.name)
    elif isinstance(node, ast.Assert):
        print("assert", node.lineno, ast.unparse(node.test)[:60])
"""


@dataclass(frozen=True)
class Verdict:
    """What the audit has to say of one module."""

    module: str
    handlers: int
    broad: int
    swallowed: int
    asserts: int

    def __str__(self) -> str:
        return f"{self.module}: {self.handlers} handlers, {self.broad} broad, {self.swallowed} swallowed, {self.asserts} asserts"


def script() -> Script:
    yield Ask(
        "Audit how the standard library copies under stdlib/ handle errors. Keep notes in memory as you go. Start with the data formats."
    )
    yield from _open_notes()
    verdicts: list[Verdict] = []
    for batch, modules in BATCHES.items():
        if verdicts:
            yield Ask(f"Thanks. Now {batch}, the same way.")
        for module in modules:
            verdict = yield from _audit(module, random.Random(module))
            verdicts.append(verdict)
        yield Reply(
            _summary(batch, verdicts[-len(modules) :]),
            thinking=f"All five modules of {batch} are read. I sum up before going on.",
        )
        if batch == "threads and processes":
            yield from _worst_so_far(verdicts)
    yield from _close(verdicts)


def _open_notes() -> Script:
    yield Reply(
        "I look for notes of an earlier session and at the files.",
        thinking="Memory first: an earlier run may have left notes.",
        calls=(
            Call("memory", {"command": "view", "path": NOTES}),
            Call("list_dir", {"path": "stdlib"}),
        ),
    )
    text = "# Error handling audit\n\nmodule: handlers, broad, swallowed, asserts\n"
    yield Reply(
        "No notes yet, so I begin a file.",
        calls=(Call("memory", {"command": "create", "path": NOTES, "file_text": text}),),
    )


def _audit(module: str, dice: random.Random) -> Generator[Ask | Reply, list[Result], Verdict]:
    path = f"stdlib/{module}"
    outline, grep = yield Reply(
        thinking=f"Next is {module}. I want its shape and its except clauses before I read any of it.",
        calls=(
            Call("outline", {"path": path}),
            Call("grep", {"pattern": HANDLERS, "path": path, "context": 1}),
        ),
    )
    handlers = len(re.findall(r":\d+: +except\b", grep.text))
    broad = [int(hit[1]) for hit in BROAD.finditer(grep.text)]
    places = dice.sample(broad, min(2, len(broad))) or [_longest(outline.text)]
    why = (
        f"{len(broad)} of {handlers} handlers are broad"
        if broad
        else f"{handlers} handlers and none is broad, so the longest function is the place to look"
    )
    yield Reply(
        f"{module}: {why}. I read around line{'s' * (len(places) > 1)} {' and '.join(map(str, sorted(places)))}.",
        calls=tuple(
            Call("read_file", {"path": path, "start": max(1, line - 25), "lines": LINES_READ})
            for line in sorted(places)
        ),
    )
    (smells,) = yield Reply(
        thinking="A handler can be narrow and still swallow the error. The syntax tree tells, the eye does not.",
        calls=(Call("run_python", {"code": SMELLS.format(module=module)}),),
    )
    verdict = Verdict(module, handlers, len(broad), smells.text.count("swallowed "), smells.text.count("assert "))
    yield Reply(
        dice.choice(("Noted.", "I keep that.", "That goes into the notes.")),
        calls=(Call("memory", {"command": "insert", "path": NOTES, "insert_line": 3, "insert_text": f"{verdict}\n"}),),
    )
    return verdict


def _longest(outline: str) -> int:
    spans = [(int(end) - int(start), int(start)) for start, end in re.findall(r"def \w+ (\d+)-(\d+)", outline)]
    return max(spans, default=(0, 1))[1]


def _worst(verdicts: list[Verdict]) -> Verdict:
    return max(verdicts, key=lambda verdict: (verdict.swallowed + verdict.broad, verdict.module))


def _summary(batch: str, verdicts: list[Verdict]) -> str:
    worst = _worst(verdicts)
    table = "\n".join(f"| {v.module} | {v.handlers} | {v.broad} | {v.swallowed} | {v.asserts} |" for v in verdicts)
    return (
        f"Done with {batch}.\n\n| module | handlers | broad | swallowed | asserts |\n|---|---|---|---|---|\n{table}\n\n"
        f"{worst.module} deserves a second look: {worst.broad} broad handlers, and {worst.swallowed} that swallow the error without a word."
    )


def _worst_so_far(verdicts: list[Verdict]) -> Script:
    yield Ask("Halfway. Which module looks worst so far, and what exactly does it swallow?")
    worst = _worst(verdicts)
    yield Reply(
        thinking="The notes hold the counts; the handlers themselves I have to read again.",
        calls=(
            Call("memory", {"command": "view", "path": NOTES}),
            Call("grep", {"pattern": r"^ *pass$", "path": f"stdlib/{worst.module}", "context": 3}),
        ),
    )
    yield Ask("Leave out handlers around interpreter shutdown, please, they are deliberate.")
    yield Reply(
        f"By the notes it is {worst.module}, with {worst.swallowed} swallowed errors and {worst.broad} broad handlers. I leave "
        "those around interpreter shutdown aside: nobody is there any more to be told. The lines above show each of the rest in its place."
    )


def _close(verdicts: list[Verdict]) -> Script:
    yield Ask("Finish with totals, and check your own counts once more over all files.")
    pattern = r"^ *except( BaseException| Exception)?( as \w+)?:"
    notes, counted = yield Reply(
        "The notes have every module; grep counts again, independently of them.",
        calls=(
            Call("memory", {"command": "view", "path": NOTES}),
            Call("grep", {"pattern": pattern, "path": "stdlib"}),
        ),
    )
    broad = sum(verdict.broad for verdict in verdicts)
    again = len(counted.text.splitlines())
    agreement = "the same number" if again == broad else f"{again}, so my notes are off by {abs(again - broad)}"
    yield Reply(
        f"{len(verdicts)} modules, {sum(v.handlers for v in verdicts)} handlers. {broad} of them are broad; counting again over all files "
        f"gives {agreement}. {sum(v.swallowed for v in verdicts)} swallow the error, and {_worst(verdicts).module} is where I would start.",
        thinking=f"The notes have {len(re.findall(r': [0-9]+ handlers', notes.text))} lines, one for each module.",
    )
    yield Ask("Good. Draft the issue for that module: which handlers, which lines, what you would write instead.")


SCENARIO = Scenario(
    name="stdlib-audit",
    description="A long audit of the standard library's error handling: thinking, parallel calls, a memory tool.",
    request={
        "model": "claude-opus-4-6",
        "max_tokens": 8192,
        "system": "You audit Python code. Work through the files with the tools, in parallel where calls do not depend on each other. "
        "Keep a line of notes on each module in memory, since earlier tool results may be cleared. Name files and lines.",
        "thinking": {"type": "adaptive"},
    },
    tools=("memory", "list_dir", "read_file", "grep", "outline", "run_python"),
    script=script,
    files=tuple(module for modules in BATCHES.values() for module in modules),
)
