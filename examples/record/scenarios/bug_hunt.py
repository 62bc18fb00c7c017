"""A hunt for planted defects: test, search, read, try, edit, test again; files read early are read again much later."""

from __future__ import annotations

import re
from collections.abc import Generator
from dataclasses import dataclass

from examples.record.loop import Ask, Call, Reply, Result, Scenario, Script
from examples.record.scenarios.bug_hunt_defects import DEFECTS, Defect

REVIEW_AFTER = 4
AROUND = 45
"""Lines read before a place."""


@dataclass(frozen=True)
class Fix:
    """What was found out about a defect."""

    defect: Defect
    failing: list[str]
    line: int

    @property
    def reading(self) -> Call:
        """The call that showed the place: the same later on, when it is looked at again."""
        return _read(self.defect.path, self.line)


def script() -> Script:
    yield Ask(
        "Something has damaged the modules under stdlib/. Find and mend it, module by module, with the tests as the judge."
    )
    fixes: list[Fix] = []
    yield Reply(
        "I look at what there is.",
        calls=(Call("list_dir", {"path": "stdlib"}), Call("list_dir", {"path": "stdlib/test"})),
    )
    for number, defect in enumerate(DEFECTS, 1):
        fixes.append((yield from _hunt(defect)))
        if number % REVIEW_AFTER == 0:
            yield from _review(fixes[-REVIEW_AFTER:], fixes[0])
        if number < len(DEFECTS):
            yield Ask(f"Good. Next: {DEFECTS[number].module}.")
    yield from _close(fixes)


def _hunt(defect: Defect) -> Generator[Ask | Reply, list[Result], Fix]:
    tests = Call("run_tests", {"module": defect.module})
    (run,) = yield Reply(f"The tests of {defect.module} first.", calls=(tests,))
    failing = _failing(run)
    yield Reply(
        thinking=f"Failing: {len(failing)}, the first is {failing[0]}. What does it expect, and which code answers?",
        calls=(
            Call("grep", {"pattern": rf"def {failing[0]}\b", "path": defect.tests, "context": 12}),
            Call("outline", {"path": defect.path}),
        ),
    )
    (found,) = yield Reply(
        f"`{failing[0]}` points at `{defect.clue}`.",
        calls=(Call("grep", {"pattern": re.escape(defect.clue), "path": defect.path, "context": 1}),),
    )
    traced = re.findall(rf'test_{defect.module}\.py", line (\d+)', run.text)
    line = _line(found, defect.wrong)
    yield Reply(calls=(_read(defect.tests, int(traced[0])), _read(defect.path, line)))
    if defect.probe:
        yield Reply("A small program to see it by itself.", calls=(Call("run_python", {"code": defect.probe}),))
    if defect.false_lead:
        yield Reply("My first idea.", calls=(_edit(defect, defect.wrong, defect.false_lead),))
        (tried,) = yield Reply(calls=(tests,))
        yield Reply(
            f"No: {len(_failing(tried))} fail with it. I take that back and look at line {line} again.",
            thinking="The idea treated the symptom. I undo it before anything else.",
            calls=(_edit(defect, defect.false_lead, defect.wrong), _read(defect.path, line)),
        )
    yield Reply(f"Now I see it: {defect.cause}.", calls=(_edit(defect, defect.wrong, defect.right),))
    (after,) = yield Reply(calls=(tests,))
    left = _failing(after)
    rest = f"still failing, for another reason: {', '.join(left)}" if left else "now all pass"
    yield Reply(f"Mended {defect.module} at line {line}: {defect.cause}. Failing before: {', '.join(failing)}; {rest}.")
    return Fix(defect, failing, line)


def _review(fixes: list[Fix], first: Fix) -> Script:
    """The places of the last fixes again, and the very first one: the calls are those made before."""
    yield Ask(
        "Before you go on: I review. Show me the last four places once more as they are now, and the very first for comparison."
    )
    yield Reply(
        thinking="The edits are behind me; the files as they are now decide. I read the same ranges as before.",
        calls=tuple(fix.reading for fix in fixes),
    )
    yield Reply(calls=(first.reading, Call("run_tests", {"module": first.defect.module})))
    table = "\n".join(
        f"| {fix.defect.module} | {fix.line} | `{fix.failing[0]}` | {fix.defect.cause} |" for fix in fixes
    )
    yield Reply(
        f"| module | line | first failing test | cause |\n|---|---|---|---|\n{table}\n\nThe first one, in {first.defect.module}, stands as I left it."
    )
    yield Ask(f"Could the one in {fixes[0].defect.module} hide a second defect?")
    yield Reply(
        calls=(
            fixes[0].reading,
            Call("grep", {"pattern": re.escape(fixes[0].defect.clue), "path": fixes[0].defect.path, "context": 3}),
        )
    )
    yield Reply(f"I see none beside line {fixes[0].line}; `{fixes[0].failing[0]}` covered exactly that passage.")


def _close(fixes: list[Fix]) -> Script:
    yield Ask("Last: every module's tests once more, then the report.")
    modules = list(dict.fromkeys(fix.defect.module for fix in fixes))
    failed = 0
    for at in range(0, len(modules), 3):
        runs = yield Reply(calls=tuple(Call("run_tests", {"module": module}) for module in modules[at : at + 3]))
        failed += sum(run.failed for run in runs)
    lines = "\n".join(
        f"- `{fix.defect.path}`, line {fix.line}: {fix.defect.cause}; found by `{fix.failing[0]}`" for fix in fixes
    )
    yield Reply(
        f"{len(fixes)} defects in {len(modules)} modules, and {failed} modules whose tests still fail.\n\n{lines}",
        thinking="The report names each place and the test that found it, as I noted them on the way.",
    )


def _failing(run: Result) -> list[str]:
    return list(dict.fromkeys(re.findall(r"^(?:FAIL|ERROR): (\w+)", run.text, re.MULTILINE)))


def _line(found: Result, wrong: str) -> int:
    """Where grep showed the first line of the wrong passage."""
    first = next(line for line in wrong.splitlines() if line.strip()).strip()
    return next(int(line.split(":")[1]) for line in found.text.splitlines() if first in line)


def _read(path: str, line: int) -> Call:
    return Call("read_file", {"path": path, "start": max(1, line - AROUND), "lines": 2 * AROUND})


def _edit(defect: Defect, old: str, new: str) -> Call:
    return Call("edit_file", {"path": defect.path, "old": old, "new": new})


SCENARIO = Scenario(
    name="bug-hunt",
    description="A hunt for planted defects with the tests as judge: long test output, edits, and files read again much later.",
    request={
        "model": "claude-opus-4-6",
        "max_tokens": 8192,
        "system": "You mend Python modules. Run the tests, find the cause, read before you edit, and test after each edit. Name lines and tests.",
        "thinking": {"type": "adaptive"},
    },
    tools=("list_dir", "read_file", "grep", "outline", "edit_file", "run_python", "run_tests"),
    script=script,
    files=tuple(
        file for module in sorted({d.module for d in DEFECTS}) for file in (f"{module}.py", f"test/test_{module}.py")
    ),
    planted=tuple((defect.path, defect.right, defect.wrong) for defect in DEFECTS),
)
