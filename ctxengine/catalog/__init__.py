"""What is known about models, betas, platforms, edits and limits: data, with source and date."""

from ctxengine.catalog.catalog import Catalog, ModelMatch, default_catalog
from ctxengine.catalog.facts import (
    AliasFact,
    BetaFact,
    EditFact,
    Limit,
    ModelFact,
    PlatformFact,
    Price,
    SurfaceFact,
    SwitchFact,
    TokenizerFact,
    VocabularyFact,
    WireFact,
)

__all__ = [
    "AliasFact",
    "BetaFact",
    "Catalog",
    "EditFact",
    "Limit",
    "ModelFact",
    "ModelMatch",
    "PlatformFact",
    "Price",
    "SurfaceFact",
    "SwitchFact",
    "TokenizerFact",
    "VocabularyFact",
    "WireFact",
    "default_catalog",
]
