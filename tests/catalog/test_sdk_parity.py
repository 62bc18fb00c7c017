"""The catalog against the installed SDK: what the SDK knows and the catalog does not, and where to add it."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable
from datetime import datetime
from typing import Any, get_args, get_type_hints

import anthropic
import pytest
from anthropic._base_client import SyncAPIClient
from anthropic.resources.beta.messages import Messages
from anthropic.resources.messages.messages import DEPRECATED_MODELS
from anthropic.types.anthropic_beta_param import AnthropicBetaParam
from anthropic.types.beta.beta_context_management_capability import BetaContextManagementCapability
from anthropic.types.beta.beta_context_management_config_param import Edit
from anthropic.types.beta.beta_iterations_usage import BetaIterationsUsageItem
from anthropic.types.beta.beta_stop_reason import BetaStopReason
from anthropic.types.beta.beta_thinking_types import BetaThinkingTypes
from anthropic.types.model_param import ModelParam

from ctxengine.catalog import default_catalog

CATALOG = default_catalog()
SDK = f"anthropic {anthropic.__version__}"


def assert_has(known: Iterable[str], expected: Iterable[str], file: str, what: str = "") -> None:
    missing = ", ".join(sorted(set(expected) - set(known)))
    assert not missing, f"{SDK} knows more: add {missing} {what}to ctxengine/catalog/data/{file}.json"


def assert_same(known: Iterable[str], expected: Iterable[str], file: str, what: str = "") -> None:
    assert_has(known, expected, file, what)
    surplus = ", ".join(sorted(set(known) - set(expected)))
    assert not surplus, f"{SDK} does not have {surplus} {what}any more: see ctxengine/catalog/data/{file}.json"


def words(hint: Any) -> set[str]:
    """All literal strings in a type, however deep."""
    if isinstance(hint, str):
        return {hint}
    return {word for part in get_args(hint) for word in words(part)}


EDITS = {next(iter(words(get_type_hints(edit)["type"]))): edit for edit in get_args(Edit)}


def test_edit_types() -> None:
    """The catalog knows the SDK's edit types."""
    assert_same(CATALOG.edits, EDITS, "edits")


@pytest.mark.parametrize("type", sorted(EDITS))
def test_edit_fields(type: str) -> None:
    """The catalog knows the fields of each of the SDK's edits."""
    fields = set(get_type_hints(EDITS[type])) - {"type"}
    assert_same(CATALOG.edits[type].parameters, fields, "edits", f"as parameters of {type} ")


def test_edits_of_the_models_api() -> None:
    """The edits that the Models API tells of are the catalog's."""
    assert_same(CATALOG.edits, set(BetaContextManagementCapability.model_fields) - {"supported"}, "edits")


def test_betas() -> None:
    """The catalog knows every beta that the SDK names."""
    assert_has(CATALOG.betas, words(AnthropicBetaParam), "betas")


def test_models() -> None:
    """Every model id that the SDK names finds a row."""
    unknown = {id for id in words(ModelParam) if CATALOG.find_model(id).facts is None}
    assert_has((), unknown, "models", "(or an alias) ")


@pytest.mark.parametrize(("id", "day"), DEPRECATED_MODELS.items())
def test_retirements(id: str, day: str) -> None:
    """The catalog retires a model on the SDK's day."""
    expected = datetime.strptime(re.sub(r"(?<=\d)(st|nd|rd|th)", "", day), "%B %d, %Y").date().isoformat()
    facts = CATALOG.find_model(id).facts
    assert facts is not None, f"{SDK} retires {id} on {expected}: add it to ctxengine/catalog/data/models.json"
    assert facts.retires == expected, f"set retires of {facts.id} to {expected} in ctxengine/catalog/data/models.json"


def test_stop_reasons() -> None:
    """The catalog knows every stop reason."""
    assert_same(CATALOG.vocabulary["stop_reasons"], words(BetaStopReason), "vocabulary", "as stop_reasons ")


def test_iteration_types() -> None:
    """The catalog knows every type of usage entry."""
    entries = get_args(get_args(BetaIterationsUsageItem)[0])
    types = {word for entry in entries for word in words(entry.model_fields["type"].annotation)}
    assert_same(CATALOG.vocabulary["iteration_types"], types, "vocabulary", "as iteration_types ")


def test_thinking_modes() -> None:
    """The thinking modes that models are said to have exist."""
    modes = {mode for model in CATALOG.models.values() for mode in model.thinking_modes or ()}
    assert_same(modes, BetaThinkingTypes.model_fields, "models", "as thinking_modes ")


@pytest.mark.parametrize("surface", sorted(CATALOG.surfaces))
def test_surfaces(surface: str) -> None:
    """The catalog knows the keyword arguments that each method takes."""
    arguments = set(inspect.signature(getattr(Messages, surface)).parameters) - {"self"}
    assert_same(CATALOG.surfaces[surface], arguments, "surfaces", f"as arguments of {surface} ")


def test_platform_clients() -> None:
    """Each of the SDK's clients is a platform's, and the other way round."""
    exported = {name: getattr(anthropic, name) for name in dir(anthropic) if name.startswith("Anthropic")}
    clients = {name for name, value in exported.items() if inspect.isclass(value) and issubclass(value, SyncAPIClient)}
    assert_same({platform.client for platform in CATALOG.platforms.values()}, clients, "platforms")
