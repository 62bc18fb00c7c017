"""A long analysis by SQL: package after package, every answer set against numbers given much earlier."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass

from examples.record.database import PACKAGES
from examples.record.loop import Ask, Call, Reply, Result, Scenario, Script
from examples.record.questions import Question, Rows, go_through, rows

TOTALS = """\
SELECT count(*) AS functions, round(avg(length), 1) AS mean_length, round(100.0 * sum(documented) / count(*), 1) AS documented,
  max(length) AS longest
FROM function JOIN module ON module.name = function.module WHERE package = '{package}'"""
MODULES = """\
SELECT m.name, m.lines, count(DISTINCT f.line) AS functions, count(DISTINCT c.name) AS classes, m.docstring
FROM module m LEFT JOIN function f ON f.module = m.name LEFT JOIN class c ON c.module = m.name
WHERE package = '{package}' GROUP BY m.name ORDER BY m.lines DESC, m.name LIMIT 40"""
SILENT = """\
SELECT module, f.name, line, length, arguments FROM function f JOIN module m ON m.name = f.module
WHERE package = '{package}' AND NOT documented AND length >= 10 ORDER BY length DESC, module, line LIMIT 90"""
WIDE = """\
SELECT module, f.name, line, arguments, length, documented FROM function f JOIN module m ON m.name = f.module
WHERE package = '{package}' AND arguments >= 2 ORDER BY arguments DESC, length DESC, module, line LIMIT 60"""
IMPORTS = """\
SELECT imported, count(DISTINCT module) AS users, min(module) AS first FROM import JOIN module ON module.name = import.module
WHERE package = '{package}' GROUP BY imported ORDER BY users DESC, imported LIMIT 40"""
CLASSES = """\
SELECT bases, count(*) AS classes, min(class.name) AS first FROM class JOIN module ON module.name = class.module
WHERE package = '{package}' GROUP BY bases ORDER BY classes DESC, bases LIMIT 30"""
BANDS = """\
SELECT length / 20 * 20 AS from_lines, count(*) AS functions, round(100.0 * sum(documented) / count(*), 1) AS documented,
  round(avg(arguments), 2) AS mean_arguments FROM function GROUP BY from_lines ORDER BY from_lines"""
RANKING = """\
SELECT package, count(*) AS functions, round(100.0 * sum(documented) / count(*), 1) AS documented, max(length) AS longest
FROM function JOIN module ON module.name = function.module GROUP BY package HAVING functions >= 25
ORDER BY documented DESC, package"""

OPENING = (
    Question("I want to compare the packages of the standard library. What is in stdlib.db?", (("SELECT name, sql FROM sqlite_master",), ("SELECT package, count(*) AS modules, sum(lines) AS lines FROM module GROUP BY package HAVING modules > 1 ORDER BY lines DESC",)), lambda got: f"Modules, classes, functions and imports. {len(got[0])} packages have more than one module; {got[0][0][0]} is the largest with {got[0][0][2]} lines.", "Tables first, then the packages."),
    Question("How do length and documentation go together overall?", ((BANDS,),), lambda got: f"Of the shortest functions {got[0][0][2]} % have a docstring, of those from 100 lines {got[0][5][2]} %. I keep these as the yardstick."),
)  # fmt: skip
CLOSING = (
    Question("Now all packages in one ranking.", ((RANKING,),), lambda got: f"{got[0][0][0]} is documented best ({got[0][0][2]} %), {got[0][-1][0]} worst ({got[0][-1][2]} %), among {len(got[0])} packages and single modules with 25 functions or more."),
    Question("And the yardstick again, was it what you said?", ((BANDS,),), lambda got: f"Yes: {got[0][0][2]} % at the short end and {got[0][5][2]} % from 100 lines."),
)  # fmt: skip


@dataclass(frozen=True)
class Profile:
    """The numbers given for a package."""

    package: str
    functions: int
    mean_length: float
    documented: float
    longest: int
    silent: int

    def __str__(self) -> str:
        return f"{self.functions} functions of {self.mean_length} lines in the mean, {self.documented} % documented, the longest {self.longest} lines"


def script() -> Script:
    yield from go_through(OPENING)
    profiles: list[Profile] = []
    for package in PACKAGES:
        profiles.append((yield from _profile(package, profiles)))
        yield from _widest(profiles[-1])
        yield from _leanings(package)
        if len(profiles) % 3 == 0:
            yield from _look_back(profiles)
    yield from go_through(CLOSING)
    yield from _report(profiles)


def _profile(package: str, before: list[Profile]) -> Generator[Ask | Reply, list[Result], Profile]:
    yield Ask(f"Take {package}: how big, how well documented, and what is missing?")
    column = "size" if len(before) == 1 else "lines"
    asked = [TOTALS.format(package=package), MODULES.format(package=package).replace("m.lines", f"m.{column}")]
    thinking = "Totals and modules do not depend on each other, so both at once." if len(before) % 2 == 0 else ""
    totals, modules = yield Reply(thinking=thinking, calls=_queries(*asked))
    if modules.failed:
        (modules,) = yield Reply("The column is lines, not size.", calls=_queries(MODULES.format(package=package)))
    (silent,) = yield Reply(calls=_queries(SILENT.format(package=package)))
    functions, mean_length, documented, longest = rows(totals.text)[0]
    missing = rows(silent.text)
    profile = Profile(package, int(functions), float(mean_length), float(documented), int(longest), len(missing))
    yield Reply(f"{package}: {profile}. {_gap(missing)}{_compared(profile, before)}")
    return profile


def _gap(missing: Rows) -> str:
    if not missing:
        return "No function of 10 lines or more lacks a docstring."
    module, name, line, length, _ = missing[0]
    return f"The longest without a docstring is `{name}` in {module}, line {line}, with {length} lines."


def _compared(profile: Profile, before: list[Profile]) -> str:
    if not before:
        return ""
    nearest = min(before, key=lambda other: abs(other.documented - profile.documented))
    return f" Nearest to it so far is {nearest.package} with {nearest.documented} % and {nearest.functions} functions."


def _widest(profile: Profile) -> Script:
    yield Ask("Its functions with the most arguments?")
    (wide,) = yield Reply(calls=_queries(WIDE.format(package=profile.package)))
    widest = rows(wide.text)
    module, name, line, arguments, *_ = widest[0]
    yield Reply(
        f"`{name}` in {module}, line {line}, takes {arguments}; {len(widest)} of its {profile.functions} functions are listed, from 2 arguments up."
    )


def _leanings(package: str) -> Script:
    yield Ask("What does it lean on, and which classes does it build?")
    imports, classes = yield Reply(calls=_queries(IMPORTS.format(package=package), CLASSES.format(package=package)))
    users, bases = rows(imports.text), rows(classes.text)
    if len(bases) > 20:
        yield Reply(
            "Many bases; the exceptions apart from the rest.",
            calls=_queries(CLASSES.format(package=package).replace(" GROUP", " AND bases LIKE '%Error%' GROUP")),
        )
    kinds = f"{bases[0][1]} classes have {bases[0][0] or 'no class'} as their base" if bases else "there are no classes"
    yield Reply(f"It leans on {users[0][0]} most ({users[0][1]} modules), {len(users)} imports are listed; {kinds}.")


def _look_back(profiles: list[Profile]) -> Script:
    """Two questions about what was said before: one answered from it, one by asking the database again."""
    early, late = profiles[len(profiles) // 2 - 1], profiles[-1]
    yield Ask(f"Remind me of {early.package} beside {late.package}.")
    yield Reply(
        f"{early.package}: {early}. {late.package}: {late}.", thinking="Both were given above; I need not ask again."
    )
    yield Ask(f"And which functions were without a docstring in {early.package}? The list, please.")
    yield Reply(calls=_queries(SILENT.format(package=early.package)))
    yield Reply(f"The same {early.silent} as before, longest first; it goes with the {early.documented} % I gave you.")


def _report(profiles: list[Profile]) -> Script:
    yield Ask("Put it together: one table, and three sentences for the summary.")
    table = "\n".join(
        f"| {p.package} | {p.functions} | {p.mean_length} | {p.documented} | {p.longest} |" for p in profiles
    )
    best, worst = (choose(profiles, key=lambda p: p.documented) for choose in (max, min))
    long = max(profiles, key=lambda p: p.mean_length)
    yield Reply(
        f"| package | functions | mean lines | documented % | longest |\n|---|---|---|---|---|\n{table}\n\n"
        f"{best.package} documents most of its functions, {best.documented} %; {worst.package} least, {worst.documented} %. "
        f"{long.package} writes the longest functions, {long.mean_length} lines in the mean. "
        f"Together they have {sum(p.functions for p in profiles)} functions."
    )
    yield Ask("Which of these numbers would you check again before it goes out?")


def _queries(*queries: str) -> tuple[Call, ...]:
    return tuple(Call("query_sqlite", {"sql": sql}) for sql in queries)


SCENARIO = Scenario(
    name="data-analysis",
    description="A long analysis by SQL; answers are set against earlier numbers, and some lists are asked for again.",
    request={
        "model": "claude-sonnet-4-6",
        "max_tokens": 4096,
        "system": "You analyse a SQLite database, stdlib.db. Query, then answer in a few sentences, and relate new numbers to those you gave before.",
        "thinking": {"type": "adaptive"},
    },
    tools=("query_sqlite",),
    script=script,
    result_blocks=True,
)
