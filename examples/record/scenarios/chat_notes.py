"""A short chat; a tool is used now and then, most answers need none."""

from __future__ import annotations

from examples.record.loop import Ask, Call, Reply, Scenario, Script

GENERATED = """\
import dataclasses

@dataclasses.dataclass(frozen=True, slots=True)
class Point:
    x: int
    y: int = 0

print(Point(1), Point(1) == Point(1, 0), hash(Point(1)) == hash(Point(1)))
print(*sorted(name for name in vars(Point) if name.startswith("__")), sep=", ")
"""


def script() -> Script:
    yield Ask("I write notes on data classes for new colleagues. What is the one-sentence reason to use them?")
    yield Reply(
        "A data class lets you state what a value consists of, and Python writes the methods that follow from it: the constructor, the comparison, the readable form."
    )
    yield Ask("And why not a named tuple?")
    yield Reply(
        "A named tuple is a tuple: it compares equal to any tuple with the same items, it can be unpacked by accident, and adding "
        "a field breaks whoever unpacks it. That is right for coordinates, and wrong for most records."
    )
    yield Ask("Which of the special methods does the decorator really write? Please look, don't guess.")
    (ran,) = yield Reply("I run a small example.", calls=(Call("run_python", {"code": GENERATED}),))
    names = ran.text.splitlines()[-1]
    yield Reply(
        f"For a frozen class with slots, the class ends up with {names}. The pair about state is there because a frozen class with slots needs it for pickling."
    )
    yield Ask("Good, I quote that. What does frozen cost?")
    yield Reply(
        "A little on construction, because every field is set through object.__setattr__. Reading a field costs the same. In return the value can be a key, and nobody changes it under your feet."
    )
    yield Ask("Where in the source is that assignment made?")
    found, outline = yield Reply(
        calls=(
            Call(
                "grep",
                {
                    "pattern": r"object.__setattr__|__dataclass_builtins_object__",
                    "path": "stdlib/dataclasses.py",
                    "context": 2,
                },
            ),
            Call("outline", {"path": "stdlib/dataclasses.py"}),
        )
    )
    first = found.text.split(": ", 1)[0].removeprefix("stdlib/")
    yield Reply(
        f"Around {first}, in the helper that writes one assignment; the module has {outline.text.count('def ')} functions, and that one is short."
    )
    yield Ask("Draft the closing paragraph of the note.")
    yield Reply(
        "Use a frozen data class for values that travel, an ordinary class for things that act, and a named tuple where a tuple is "
        "what you mean. If you hesitate between the first two, ask whether two of them with the same contents are the same thing."
    )
    yield Ask("Shorter.")
    yield Reply("Values that travel: frozen data class. Things that act: ordinary class. Really a tuple: named tuple.")
    yield Ask("Perfect. One last thing: a title?")


SCENARIO = Scenario(
    name="chat-notes",
    description="A short chat with two tool turns; ends on a question that is not answered yet.",
    request={
        "model": "claude-sonnet-4-6",
        "max_tokens": 1024,
        "system": "You help with writing. Be brief and concrete.",
    },
    tools=("run_python", "grep", "outline"),
    script=script,
    files=("dataclasses.py",),
)
