"""What the user asks for: policy documents, read through two gates and merged into one that knows who said what."""

from ctxengine.policy.layering import Resolved, Situation, matches, resolve
from ctxengine.policy.loading import Layer, layer_from_mapping, layers_from_mapping, load_layers, presets
from ctxengine.policy.schema import policy_schema

__all__ = [
    "Layer",
    "Resolved",
    "Situation",
    "layer_from_mapping",
    "layers_from_mapping",
    "load_layers",
    "matches",
    "policy_schema",
    "presets",
    "resolve",
]
