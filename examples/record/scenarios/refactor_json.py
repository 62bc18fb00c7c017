"""A small refactoring with checks in between: edits of copied files, one of which fails first."""

from __future__ import annotations

from dataclasses import dataclass

from examples.record.loop import Ask, Call, Reply, Scenario, Script

FILES = ("json/__init__.py", "json/decoder.py", "json/encoder.py", "json/scanner.py", "json/tool.py")
DECODER, ENCODER, SCANNER = "stdlib/json/decoder.py", "stdlib/json/encoder.py", "stdlib/json/scanner.py"

CHECK = """\
import pathlib, sys
sys.path.insert(0, "stdlib")
sys.modules["_json"] = None
import json
assert pathlib.Path(json.__file__).parts[-3:-1] == ("stdlib", "json")
assert json.scanner.make_scanner is json.scanner.py_make_scanner
cases = ['{"a": [1, 2.5, -3e8, null, true, false]}', '"\\\\u00e9\\\\ud83d\\\\ude00"', '[]', '{"a": {"b": {}}}']
for case in cases:
    value = json.JSONDecoder().decode(case)
    assert json.loads(json.dumps(value)) == value, case
for broken in ('["a', '"\\x01"', '"\\\\x"', '{"a" 1}', '[1,', 'nul'):
    try:
        json.JSONDecoder().decode(broken)
    except json.JSONDecodeError as error:
        print(f"{broken!r}: {error}")
print(len(cases), "round trips")
"""

DIFF = """\
import difflib, os, pathlib
for name in {names}:
    before = pathlib.Path(os.__file__).with_name("json").joinpath(name).read_text().splitlines()
    after = pathlib.Path("stdlib/json", name).read_text().splitlines()
    print("\\n".join(difflib.unified_diff(before, after, f"a/json/{{name}}", f"b/json/{{name}}", lineterm="", n=1)))
"""


@dataclass(frozen=True)
class Step:
    """One change: what it is for, and the passages to replace."""

    why: str
    edits: tuple[tuple[str, str, str], ...]


ERROR_TEXTS = (
    Step(
        "The error text of JSONDecodeError becomes an f-string.",
        (
            (
                DECODER,
                "errmsg = '%s: line %d column %d (char %d)' % (msg, lineno, colno, pos)",
                "errmsg = f'{msg}: line {lineno} column {colno} (char {pos})'",
            ),
        ),
    ),
    Step(
        "The commented-out line goes, and its neighbour becomes an f-string.",
        (
            (
                DECODER,
                '                #msg = "Invalid control character %r at" % (terminator,)\n                msg = "Invalid control character {0!r} at".format(terminator)\n',
                '                msg = f"Invalid control character {terminator!r} at"\n',
            ),
            (
                DECODER,
                'msg = "Invalid \\\\escape: {0!r}".format(esc)',
                'msg = f"Invalid \\\\escape: {esc!r}"',
            ),
        ),
    ),
)
ESCAPES = (
    Step(
        "The table of control characters is built in one expression.",
        (
            (
                ENCODER,
                "    ESCAPE_DCT.setdefault(chr(i), '\\\\u{0:04x}'.format(i))\n    #ESCAPE_DCT.setdefault(chr(i), '\\\\u%04x' % (i,))\n",
                "    ESCAPE_DCT.setdefault(chr(i), f'\\\\u{i:04x}')\n",
            ),
        ),
    ),
    Step(
        "The same in the escaping function, with the surrogate pair beside it.",
        (
            (
                ENCODER,
                "                return '\\\\u{0:04x}'.format(n)\n                #return '\\\\u%04x' % (n,)\n",
                "                return f'\\\\u{n:04x}'\n",
            ),
            (
                ENCODER,
                "return '\\\\u{0:04x}\\\\u{1:04x}'.format(s1, s2)",
                "return f'\\\\u{s1:04x}\\\\u{s2:04x}'",
            ),
        ),
    ),
)
CONSTANTS = (
    Step(
        "The constants of the grammar get a table of their own.",
        (
            (
                SCANNER,
                "def py_make_scanner(context):\n",
                "LITERALS = {'null': None, 'true': True, 'false': False}\n\ndef py_make_scanner(context):\n",
            ),
        ),
    ),
    Step(
        "Three branches become one look-up.",
        (
            (
                SCANNER,
                (
                    "        elif nextchar == 'n' and string[idx:idx + 4] == 'null':\n            return None, idx + 4\n"
                    "        elif nextchar == 't' and string[idx:idx + 4] == 'true':\n            return True, idx + 4\n"
                    "        elif nextchar == 'f' and string[idx:idx + 5] == 'false':\n            return False, idx + 5\n"
                ),
                "        for literal, value in LITERALS.items():\n            if string.startswith(literal, idx):\n                return value, idx + len(literal)\n",
            ),
        ),
    ),
)


def script() -> Script:
    yield Ask(
        "Modernise the string formatting in stdlib/json, in small steps, and run a check after each. Have a look first."
    )
    yield from _look()
    yield Ask("Good. Begin with the error texts in the decoder.")
    yield from _change("the error texts", ERROR_TEXTS)
    yield Ask("Now the escapes in the encoder.")
    yield from _first_try_fails()
    yield from _change("the escapes", ESCAPES)
    yield Ask("In the scanner, replace the three branches for null, true and false by a table.")
    yield from _change("the scanner", CONSTANTS)
    yield Ask("Is any old formatting left?")
    yield from _left_over()
    yield Ask("Show me the whole difference to the original.")
    names = ["decoder.py", "encoder.py", "scanner.py"]
    (difference,) = yield Reply(calls=(Call("run_python", {"code": DIFF.format(names=names)}),))
    changed = sum(line[:1] in "+-" and line[:3] not in ("+++", "---") for line in difference.text.splitlines())
    yield Reply(
        f"That is all of it: {changed} changed lines in three files, and the check passes after the last step as it did before the first."
    )


def _look() -> Script:
    yield Reply(
        "I look at the package.",
        calls=(
            Call("list_dir", {"path": "stdlib/json"}),
            Call("grep", {"pattern": r"\.format\(|' %|\" %", "path": "stdlib/json"}),
        ),
    )
    yield Reply(calls=tuple(Call("read_file", {"path": path}) for path in (DECODER, ENCODER, SCANNER)))
    (check,) = yield Reply(
        "Before I touch anything, a check that uses the pure Python code paths.",
        calls=(Call("run_python", {"code": CHECK}),),
    )
    yield Reply(
        f"The check passes on the untouched copies: {check.text.splitlines()[-1]}, and the error texts are on record. Where shall I begin?"
    )


def _change(what: str, steps: tuple[Step, ...]) -> Script:
    text = ""
    for step in steps:
        yield Reply(
            step.why,
            calls=tuple(Call("edit_file", {"path": path, "old": old, "new": new}) for path, old, new in step.edits),
        )
        (check,) = yield Reply(calls=(Call("run_python", {"code": CHECK}),))
        text = check.text
    yield Reply(f'Done with {what}: {len(steps)} steps, and the check still ends with "{text.splitlines()[-1]}".')


def _first_try_fails() -> Script:
    (failed,) = yield Reply(calls=(Call("edit_file", {"path": ENCODER, "old": "'\\\\u{0:04x}'.format(", "new": "f'"}),))
    where = {"pattern": r"04x", "path": ENCODER, "context": 1}
    yield Reply(
        f"Too short a passage: {failed.text.split(';')[0]}. I look at the places.", calls=(Call("grep", where),)
    )


def _left_over() -> Script:
    (left,) = yield Reply(calls=(Call("grep", {"pattern": r"\.format\(|' %|\" %", "path": "stdlib/json"}),))
    yield Reply(
        f"grep says: {left.text}. Two files I have not opened yet; I read them to be sure.",
        calls=(
            Call("read_file", {"path": "stdlib/json/__init__.py", "start": 280}),
            Call("read_file", {"path": "stdlib/json/tool.py"}),
        ),
    )
    yield Reply("Nothing there wants changing.")


SCENARIO = Scenario(
    name="refactor-json",
    description="Edits of a copy of the json package with a check after each; one edit fails first; no thinking.",
    request={
        "model": "claude-haiku-4-5",
        "max_tokens": 4096,
        "system": [
            {
                "type": "text",
                "text": "You refactor Python code in small steps. After each step run the check. Say what changed, briefly.",
            }
        ],
    },
    tools=("list_dir", "read_file", "grep", "edit_file", "run_python"),
    script=script,
    files=FILES,
)
