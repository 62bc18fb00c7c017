"""Questions to a database: a table of questions with their queries, answered from the rows that come back."""

from __future__ import annotations

from examples.record.loop import Ask, Call, Reply, Scenario, Script
from examples.record.questions import Question, go_through, rows

QUESTIONS = (
    Question(
        "What is in this database?",
        (
            ("SELECT name, sql FROM sqlite_master",),
            ("SELECT count(*) FROM module", "SELECT count(*) FROM function", "SELECT count(*) FROM import"),
        ),
        lambda got: (
            f"It describes Python's standard library: {got[0][0][0]} modules, {got[1][0][0]} functions and {got[2][0][0]} imports, and HTTP's status codes."
        ),
        "I do not know the tables yet.",
    ),
    Question(
        "Which are the ten largest modules?",
        (("SELECT name, lines FROM module ORDER BY lines DESC, name LIMIT 10",),),
        lambda got: (
            f"{got[0][0][0]} leads with {got[0][0][1]} lines, before {got[0][1][0]} ({got[0][1][1]}) and {got[0][2][0]} ({got[0][2][1]})."
        ),
    ),
    Question(
        "And by package, with the number of modules in each?",
        (
            (
                "SELECT package, count(*) AS modules, sum(size) AS lines FROM module GROUP BY package HAVING modules > 1 ORDER BY lines DESC",
            ),
            (
                "SELECT package, count(*) AS modules, sum(lines) AS lines FROM module GROUP BY package HAVING modules > 1 ORDER BY lines DESC",
            ),
        ),
        lambda got: (
            f"I had a column's name wrong, it is lines. {got[0][0][0]} is the largest package: {got[0][0][1]} modules, {got[0][0][2]} lines."
        ),
        "I group by package; single modules are their own package and would drown the table.",
    ),
    Question(
        "Where are the longest functions?",
        (
            ("SELECT module, name, line, length FROM function ORDER BY length DESC, module LIMIT 15",),
            (
                "SELECT CASE WHEN length < 10 THEN 'under 10' WHEN length < 40 THEN '10 to 39' WHEN length < 100 THEN '40 to 99' ELSE '100 and more' END AS size, count(*) AS functions FROM function GROUP BY size ORDER BY functions DESC",
            ),
        ),
        lambda got: (
            f'The list is above. Most are short: {got[0][0][1]} functions fall into the class "{got[0][0][0]}", only {got[0][-1][1]} into "{got[0][-1][0]}".'
        ),
        "The list alone says little, the distribution puts it in proportion.",
    ),
    Question(
        "Are long functions documented less often?",
        (
            (
                "SELECT length >= 40 AS long, count(*) AS functions, round(100.0 * sum(documented) / count(*), 1) AS percent FROM function GROUP BY long",
            ),
        ),
        lambda got: f"{got[0][0][2]} % of the short ones have a docstring, {got[0][1][2]} % of the long ones.",
    ),
    Question(
        "Which modules does everything depend on?",
        (
            (
                "SELECT imported, count(DISTINCT module) AS users FROM import GROUP BY imported ORDER BY users DESC, imported LIMIT 25",
            ),
            (
                "SELECT imported, count(DISTINCT module) AS users FROM import WHERE imported LIKE '\\_%' ESCAPE '\\' GROUP BY imported ORDER BY users DESC, imported LIMIT 20",
            ),
        ),
        lambda got: (
            f"Beside the usual ones, private modules carry a good deal; {got[0][0][0]} is used by {got[0][0][1]} modules."
        ),
        "Private modules are a different kind of dependency, so a second query.",
    ),
    Question(
        "Find import cycles of length two.",
        (
            (
                "SELECT DISTINCT a.module AS first, b.module AS second FROM import a JOIN import b ON a.imported = b.module AND b.imported = a.module WHERE a.module < b.module ORDER BY first, second",
            ),
        ),
        lambda got: f"{len(got[0])} pairs import each other, {got[0][0][0]} and {got[0][0][1]} for one.",
        "A self-join on the import table; the smaller name first, so that each pair shows once.",
    ),
    Question(
        "How much of asyncio is async?",
        (
            (
                "SELECT module, sum(is_async) AS async, count(*) AS functions FROM function WHERE module LIKE 'asyncio.%' GROUP BY module ORDER BY async DESC, module",
                "SELECT module, sum(is_async) AS async FROM function WHERE module NOT LIKE 'asyncio.%' GROUP BY module HAVING async > 0 ORDER BY async DESC",
            ),
        ),
        lambda got: (
            f"Less than one would think. {got[0][0][0]} has the most, {got[0][0][1]} of {got[0][0][2]} functions; outside asyncio only {len(got[1])} modules have any."
        ),
    ),
    Question(
        "Which exception classes are there, and what do they derive from?",
        (
            (
                "SELECT module, name, bases FROM class WHERE bases LIKE '%Error%' OR bases LIKE '%Exception%' ORDER BY bases, module, name",
            ),
        ),
        lambda got: (
            f"{len(got[0])} classes. The first by base is {got[0][0][1]} in {got[0][0][0]}. Classes whose parents have other names are not counted."
        ),
        "Exceptions are recognised by their bases alone, which misses some grandchildren. Good enough, and I should say so.",
    ),
    Question(
        "Functions with more than ten arguments?",
        (("SELECT module, name, arguments FROM function WHERE arguments > 10 ORDER BY arguments DESC, module, name",),),
        lambda got: f"There are {len(got[0])}. {got[0][0][1]} in {got[0][0][0]} takes {got[0][0][2]}.",
    ),
    Question(
        "For the appendix: all HTTP status codes with their descriptions.",
        (("SELECT code, phrase, description FROM http_status ORDER BY code",),),
        lambda got: f"{len(got[0])} codes, from {got[0][0][0]} {got[0][0][1]} to {got[0][-1][0]} {got[0][-1][1]}.",
    ),
    Question(
        "And one sentence on each top-level module, from the docstrings.",
        (
            (
                "SELECT name, docstring FROM module WHERE name NOT LIKE '%.%' AND docstring != '' ORDER BY name",
                "SELECT count(*) FROM module WHERE name NOT LIKE '%.%' AND docstring = ''",
            ),
        ),
        lambda got: (
            f"{len(got[0])} have one, from {got[0][0][0]} to {got[0][-1][0]}; {got[1][0][0]} have none, which is worth a line in the report."
        ),
        "Only the first line of each docstring is stored, which is what is wanted.",
    ),
)


def script() -> Script:
    yield from go_through(QUESTIONS)
    yield Ask("Good. Put the headline numbers into three bullet points that I can paste.")
    (totals,) = yield Reply(
        calls=(Call("query_sqlite", {"sql": "SELECT count(*), sum(lines), max(lines) FROM module"}),)
    )
    modules, lines, largest = rows(totals.text)[0]
    yield Reply(
        f"- {modules} modules with {lines} lines in all\n- the largest has {largest} lines\n- every number is from one read-only query each"
    )


SCENARIO = Scenario(
    name="sqlite-report",
    description="Questions to a database about the standard library; one query fails and is put right.",
    request={
        "model": "claude-sonnet-4-6",
        "max_tokens": 4096,
        "system": "You answer questions about a SQLite database, stdlib.db. Query first, then answer in a sentence or two.",
        "thinking": {"type": "enabled", "budget_tokens": 2048},
    },
    tools=("query_sqlite",),
    script=script,
    result_blocks=True,
)
