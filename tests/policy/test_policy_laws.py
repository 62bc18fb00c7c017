"""Laws of merging, on random layers."""

from __future__ import annotations

import copy
import json
from typing import Any

import json_merge_patch
from hypothesis import given, settings
from hypothesis import strategies as st

from ctxengine.errors import PolicyError
from ctxengine.policy import Layer, Resolved, Situation, layer_from_mapping, resolve

HERE = Situation("claude-haiku-5-5", "bedrock", True, (("memory", "memory_20250818"),))
TOOLS = "clear_tool_uses_20250919"
numbers = st.integers(0, 3)
names = st.lists(st.sampled_from("abc"), max_size=3, unique=True)


def some(**keys: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({}, optional=keys)


def typed(*types: str) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({"type": st.sampled_from(types), "value": numbers})


lists = names | st.builds(lambda whole: {"set": whole}, names)
clear_tool_uses = some(
    trigger=typed("input_tokens", "tool_uses"), keep=typed("tool_uses"), exclude_tools=lists, drop=st.booleans()
).map(lambda fields: {"type": TOOLS, **fields})
clear_thinking = some(keep=st.just("all") | typed("thinking_turns")).map(
    lambda fields: {"type": "clear_thinking_20251015", **fields}
)
places = st.sampled_from(["tools", "system", "last_message"])
ttl = st.sampled_from(["5m", "1h"])
values = some(
    mode=st.sampled_from(["enforce", "off"]),
    edits=st.tuples(clear_tool_uses) | st.tuples(clear_thinking, clear_tool_uses),
    compaction=some(mode=st.sampled_from(["off", "auto"]), pause=st.booleans(), trigger=typed("input_tokens")),
    cache=some(ttl=ttl | st.dictionaries(places, ttl), breakpoints=st.lists(places, unique=True)),
    betas=lists,
    budget=some(usd=numbers, turns=numbers),
)
LOCKS = [
    "mode",
    "budget",
    "budget.usd",
    "betas",
    "edits",
    f"edits.{TOOLS}.exclude_tools",
    f"edits.{TOOLS}",
    "compaction.trigger.value",
    "cache.ttl.system",
]
locks = st.lists(st.sampled_from(LOCKS), max_size=3)
whens = st.sampled_from([{}, {"model": "claude-opus-*"}, {"thinking": "on"}, {"tool": "memory_*"}])
overrides = st.lists(st.fixed_dictionaries({"when": whens, "set": values}), max_size=2)
layers = st.tuples(values, locks, overrides).map(lambda parts: {**parts[0], "lock": parts[1], "overrides": parts[2]})
stacks = st.lists(layers, min_size=1, max_size=4)
anything = st.recursive(
    st.none() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=8,
)
objects = st.dictionaries(st.sampled_from("abc"), anything, max_size=3)


def merged(*stack: dict[str, Any], **more: Any) -> Resolved:
    return resolve(loaded(stack), HERE, **more)


def loaded(stack: tuple[dict[str, Any], ...] | list[dict[str, Any]]) -> list[Layer]:
    return [layer_from_mapping(data, f"layer{index}") for index, data in enumerate(stack)]


@given(stacks)
@settings(deadline=None)
def test_an_empty_layer_changes_nothing(stack: list[dict[str, Any]]) -> None:
    """A layer that says nothing, wherever it stands, inherits everything."""
    assert merged({}, *stack).values == merged(*stack, {}).values == merged(*stack).values


@given(stacks)
@settings(deadline=None)
def test_saying_it_again_changes_nothing(stack: list[dict[str, Any]]) -> None:
    """The last layer's plain values twice are as good as once, where no override stands between."""
    last = {key: value for key, value in stack[-1].items() if key != "overrides"}
    assert merged(*stack[:-1], last, last).values == merged(*stack[:-1], last).values


@given(stacks)
@settings(deadline=None)
def test_pure(stack: list[dict[str, Any]]) -> None:
    """Resolving is a function: layers stay as they are, and the same layers give the same policy."""
    made = loaded(stack)
    before = copy.deepcopy([layer.data for layer in made])
    first = resolve(made, HERE)
    assert resolve(made, HERE) == first
    assert [layer.data for layer in made] == before


@given(stacks)
@settings(deadline=None)
def test_an_override_is_a_layer_of_its_own(stack: list[dict[str, Any]]) -> None:
    """Overrides that match are what the layers would be with each of them as a layer after its own."""
    whole = resolve(loaded(stack), HERE)
    apart = [
        part
        for layer in stack
        for part in (
            {**layer, "overrides": []},
            *(each["set"] for each in layer["overrides"] if each["when"] != {"model": "claude-opus-*"}),
        )
    ]
    assert merged(*apart).values == whole.values


@given(stacks, layers)
@settings(deadline=None)
def test_locks_never_loosen(stack: list[dict[str, Any]], later: dict[str, Any]) -> None:
    """What is locked after some layers has the same value after any further one, after any request and plugin."""
    before = merged(*stack)
    entry = {"type": TOOLS, "keep": {"type": "tool_uses", "value": 9}, "exclude_tools": ["z"]}
    after = merged(*stack, later, request_edits=[entry], contributions=[("p", [{**entry, "exclude_tools": ["y"]}])])
    for path in before.locks:
        assert after.locks[path] == before.locks[path]
        assert after.get(path) == before.get(path)


@given(stacks)
@settings(deadline=None)
def test_every_value_has_an_origin(stack: list[dict[str, Any]]) -> None:
    """Whoever is named as the origin of a value has said just that; of a list or an object, has said part of it."""
    made = merged(*stack)
    for path, origin in made.origins.items():
        head, _, index = path.rpartition(".")
        value = made.get(head)[int(index)] if index.isdigit() else made.get(path)
        said = dig(stack[int(origin.source.removeprefix("layer"))], origin.path)
        assert said == value or isinstance(said, (dict, list)), path
        assert value is not None, path


def dig(value: Any, path: str) -> Any:
    for part in path.split("."):
        value = value[int(part)] if isinstance(value, (list, tuple)) else value[part]
    return value


@given(st.lists(objects, min_size=1, max_size=4))
@settings(deadline=None)
def test_objects_merge_as_rfc_7396(patches: list[dict[str, Any]]) -> None:
    """A plugin's settings merge as JSON Merge Patch says."""
    wanted: dict[str, Any] = {}
    for patch in patches:
        wanted = json_merge_patch.merge(wanted, json.loads(json.dumps(patch)))
    made = merged(*({"plugins": {"config": {"p": patch}}} for patch in patches))
    assert made.get("plugins.config.p") == wanted


KEYS = [
    "version",
    "mode",
    "edits",
    "type",
    "trigger",
    "keep",
    "value",
    "exclude_tools",
    "drop",
    "set",
    "when",
    "overrides",
]
KEYS += [
    "cache",
    "ttl",
    "breakpoints",
    "budget",
    "usd",
    "lock",
    "extends",
    "plugins",
    "config",
    "compaction",
    "betas",
    "$comment",
]
scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.sampled_from([TOOLS, "compact_20260112", "1", "all", 10**400])
)
odd = st.recursive(
    scalars | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS) | st.text(max_size=3), inner, max_size=4)
    ),
    max_leaves=20,
)


@given(st.dictionaries(st.sampled_from(KEYS), odd, max_size=4))
@settings(deadline=None)
def test_no_crash_on_any_document(document: dict[str, Any]) -> None:
    """Whatever stands in a document, it is a policy or an error that says why not."""
    try:
        findings = merged(document).findings
    except PolicyError as error:
        findings = error.findings
    assert all(finding.message and finding.help for finding in findings)


edits = st.lists(
    odd | st.dictionaries(st.sampled_from(KEYS), odd).map(lambda fields: {**fields, "type": TOOLS}), max_size=3
)


@given(layers, edits, edits)
@settings(deadline=None)
def test_no_crash_on_any_request(layer: dict[str, Any], asked: list[Any], contributed: list[Any]) -> None:
    """Whatever stands in a request's edits or a plugin's, the layers resolve, and nothing that came in changes."""
    before = copy.deepcopy((asked, contributed))
    merged(layer, request_edits=asked, contributions=[("p", contributed), ("q", contributed)])
    assert repr((asked, contributed)) == repr(before)
