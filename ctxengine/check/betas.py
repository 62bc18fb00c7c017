"""Rules on beta headers: what is sent needs them, and they need something to be sent for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace

from ctxengine.catalog.facts import CLEAR_EDITS, ON_DEMAND_COMPACTION, THRESHOLD_COMPACTION, BetaFact
from ctxengine.check.planned import compactions, compacts, fact_of
from ctxengine.check.rule import Facts, Hit, rule
from ctxengine.check.sources import COMPACTION, CONTEXT_EDITING, ISSUES, OBSERVED, ON_DEMAND, SDK
from ctxengine.conversation import CompactionBlock
from ctxengine.findings import Place, did_you_mean, shown
from ctxengine.origin import Origin
from ctxengine.plan import PlannedBeta, PlannedEdit

BODY_KEY = "anthropic_beta"
"""Where betas travel on a platform that takes them in the body."""


@rule(
    "beta-cm-missing",
    "error",
    "A clearing edit, or context_management at all, is sent without its beta.",
    help="add the beta: without it the API answers `context_management: Extra inputs are not permitted`",
    source=CONTEXT_EDITING,
)
def beta_cm_missing(facts: Facts) -> Iterator[Hit]:
    for edit, missing, stand_ins in _lacking(facts):
        if not stand_ins:
            yield Hit(f"{edit.type} is sent without the beta {', '.join(missing)}", edit.origin)
    without_edits = not facts.plan.edits and not facts.request.edits
    if without_edits and facts.request.get("context_management") is not None and not knows_context_management(facts):
        yield Hit("context_management is sent without a beta that knows it", Place("context_management"))


@rule(
    "beta-cm-implicit",
    "warning",
    "A clearing edit is sent with a beta that only stands in for its own.",
    help="send the edit's own beta too: gateways look for it by name",
    source=OBSERVED,
)
def beta_cm_implicit(facts: Facts) -> Iterator[Hit]:
    for edit, missing, stand_ins in _lacking(facts):
        if stand_ins:
            message = f"{edit.type} is sent with {', '.join(stand_ins)} alone, without {', '.join(missing)}"
            yield Hit(f"{message}; that was seen to work, once, on the Claude API", edit.origin)


def knows_context_management(facts: Facts) -> bool:
    """Whether a beta is sent with which the API does."""
    known = {beta for fact in facts.catalog.edits.values() for beta in (*fact.betas, *fact.stand_ins)}
    return bool(known & set(facts.plan.beta_names))


def _lacking(facts: Facts) -> Iterator[tuple[PlannedEdit, list[str], list[str]]]:
    """Clearing edits without all their betas: what is missing, and what stands in for it."""
    names = facts.plan.beta_names
    for edit in facts.plan.edits:
        fact = fact_of(facts, edit)
        missing = [name for name in fact.betas if name not in names] if fact and not compacts(fact) else []
        if fact and missing:
            yield edit, missing, [name for name in fact.stand_ins if name in names]


@rule(
    "beta-compact-missing",
    "error",
    "A compaction edit is sent without its beta.",
    help="add the beta to the request's betas; without it the API does not know the edit's tag",
    source=COMPACTION,
)
def beta_compact_missing(facts: Facts) -> Iterator[Hit]:
    for edit in compactions(facts):
        fact = fact_of(facts, edit)
        missing = [name for name in fact.betas if name not in facts.plan.beta_names] if fact else []
        if missing:
            yield Hit(f"{edit.type} is sent without the beta {', '.join(missing)}", edit.origin)


@rule(
    "beta-ondemand-missing",
    "error",
    "A compaction request, or a signed compaction block, is sent without its beta.",
    help="add the beta to the request's betas: the compaction request and each later request with its block need it",
    source=ON_DEMAND,
)
def beta_ondemand_missing(facts: Facts) -> Iterator[Hit]:
    missing = [name for name in facts.catalog.betas_for(ON_DEMAND_COMPACTION) if name not in facts.plan.beta_names]
    signed = next((block for block in facts.conversation.compaction_blocks if block.kind == "signed"), None)
    if missing and facts.plan.compaction is not None:
        yield Hit(f"the compaction argument is sent without the beta {', '.join(missing)}", Place("compaction"))
    elif missing and signed is not None:
        # with the beta of the other compaction the API knows the block, and asks for the signature's own
        known = set(facts.catalog.compaction_edit.betas) & set(facts.plan.beta_names)
        path = f"{signed.at.path}.signature" if known else signed.at.path
        yield Hit(f"a signed compaction block is sent without the beta {', '.join(missing)}", Place(path))


@rule(
    "beta-unused",
    "info",
    "A context beta is sent that nothing in the request uses.",
    help="leave it out, unless later requests need it in place; it may switch on usage.iterations",
    source=COMPACTION,
)
def beta_unused(facts: Facts) -> Iterator[Hit]:
    for beta in facts.plan.betas:
        fact = facts.catalog.betas.get(beta.name)
        uses = USES.get(fact.feature) if fact and fact.state == "needed" else None
        if uses and not uses(facts):
            yield Hit(f"nothing in the request uses the beta {beta.name}", _asked(beta))


def _edit_of(feature: str) -> Callable[[Facts], bool]:
    return lambda facts: any((fact := fact_of(facts, edit)) and fact.feature == feature for edit in facts.plan.edits)


def _blocks(signed: bool) -> Callable[[Facts], bool]:
    def present(block: CompactionBlock) -> bool:
        return (block.kind == "signed") is signed

    return lambda facts: any(map(present, facts.conversation.compaction_blocks))


USES: Mapping[str, Callable[[Facts], bool]] = {
    CLEAR_EDITS: _edit_of(CLEAR_EDITS),
    THRESHOLD_COMPACTION: lambda facts: _edit_of(THRESHOLD_COMPACTION)(facts) or _blocks(False)(facts),
    ON_DEMAND_COMPACTION: lambda facts: facts.plan.compaction is not None or _blocks(True)(facts),
}
"""Feature of a beta → whether the request uses it."""


def _asked(beta: PlannedBeta) -> Origin:
    return replace(beta.origin, path="betas") if beta.origin.source == "request" else beta.origin


def _listed(facts: Facts) -> Iterator[tuple[str, Origin]]:
    """Every beta that is sent or that the policy lists, with who asked for it."""
    yield from ((beta.name, _asked(beta)) for beta in facts.plan.betas)
    for index, name in enumerate(facts.plan.policy.get("betas", ())):
        if name not in facts.plan.beta_names:
            yield name, facts.plan.policy.origin(f"betas.{index}")


def _known(facts: Facts) -> Iterator[tuple[BetaFact, Origin]]:
    for name, origin in _listed(facts):
        if name in facts.catalog.betas:
            yield facts.catalog.betas[name], origin


@rule(
    "beta-noop",
    "info",
    "A beta is listed that has no effect any more.",
    help="take it out: what it switched on is there for everyone",
    source=f"{SDK}, CHANGELOG.md 2.9.0",
    needs="policy",
)
def beta_noop(facts: Facts) -> Iterator[Hit]:
    for fact, origin in _known(facts):
        if fact.state != "needed":
            yield Hit(f"the beta {fact.name} has no effect any more", origin)


@rule(
    "beta-unknown",
    "warning",
    "A beta is listed that the catalog does not know.",
    help="correct its name, or describe it in a catalog overlay: the API refuses a value it does not know",
    source=f"{SDK}, types/anthropic_beta_param.py",
    needs="policy",
)
def beta_unknown(facts: Facts) -> Iterator[Hit]:
    for name, origin in _listed(facts):
        if name.strip() and name not in facts.catalog.betas:
            near = did_you_mean(name, facts.catalog.betas)
            yield Hit(f"there is no beta {shown(name)} in the catalog; {near}", origin)


BETA_EMPTY = "beta-empty"
EMPTY_HELP = "take the empty entry out: the API answers `Unexpected value(s) … anthropic-beta`"


@rule(
    BETA_EMPTY,
    "error",
    "The policy lists a beta that is an empty string.",
    help=EMPTY_HELP,
    source=ISSUES,
    needs="policy",
)
def beta_empty(facts: Facts) -> Iterator[Hit]:
    for name, origin in _listed(facts):
        if _has_empty_part(name):
            yield Hit("the policy lists an empty beta", origin)


@rule(
    BETA_EMPTY,
    "error",
    "The request, sent as it stands, lists an empty beta, or its header ends in a comma.",
    help=EMPTY_HELP,
    source=ISSUES,
)
def beta_empty_as_given(facts: Facts) -> Iterator[Hit]:
    if facts.plan.mode == "enforce":  # one clean list is written in place of these
        return
    for path, value in _as_given(facts):
        if _has_empty_part(value):
            yield Hit("an empty value stands among the betas", Place(path))


def _has_empty_part(value: str) -> bool:
    return not all(part.strip() for part in value.split(","))


def _as_given(facts: Facts) -> Iterator[tuple[str, str]]:
    """The request's own betas and headers, unsplit."""
    betas, headers = facts.request.get("betas"), facts.request.get("extra_headers")
    if isinstance(betas, Sequence) and not isinstance(betas, str):
        yield from ((f"betas.{index}", value) for index, value in enumerate(betas) if isinstance(value, str))
    for key in facts.request.header_keys:
        if isinstance(headers, Mapping) and isinstance(headers.get(key), str):
            yield f"extra_headers.{key}", headers[key]


@rule(
    "beta-plat",
    "error",
    "A beta is listed that the platform does not support.",
    help='leave it out for this platform with an override, or set on_unsupported to "degrade"',
    source=OBSERVED,
    needs="target",
)
def beta_plat(facts: Facts) -> Iterator[Hit]:
    platform = facts.target.platform
    for beta in facts.plan.betas:
        fact = facts.catalog.betas.get(beta.name)
        if fact and platform.name in fact.unsupported_on:
            yield Hit(f"{platform.title} does not support the beta {fact.name}", _asked(beta))


@rule(
    "beta-bedrock-body",
    "error",
    "On a platform that takes betas in the body, the request's own body entry replaces them.",
    help="leave the entry out of extra_body: the SDK writes it from the betas",
    source=f"{SDK}, lib/bedrock/_client.py",
)
def beta_bedrock_body(facts: Facts) -> Iterator[Hit]:
    body = facts.request.get("extra_body")
    if facts.target.platform.beta_travel != "body" or not isinstance(body, Mapping) or BODY_KEY not in body:
        return
    written = body[BODY_KEY] if isinstance(body[BODY_KEY], (list, tuple)) else ()
    lost = [name for name in facts.plan.beta_names if name not in written]
    if lost:
        path = f"extra_body.{BODY_KEY}"
        yield Hit(f"{path} replaces the betas, and lacks {', '.join(lost)}", Place(path))
