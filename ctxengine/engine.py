"""The front desk: a policy in, plans and keyword arguments out. An Engine is immutable and safe to share."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

from ctxengine.catalog import Catalog, default_catalog
from ctxengine.check import RULES, Facts, Needs, Rule, run_rules
from ctxengine.conversation import Conversation, Mark, Scanner, scan_head
from ctxengine.errors import PlanRefused
from ctxengine.extension.host import Host
from ctxengine.findings import Finding, Report
from ctxengine.plan import CompileInput, Plan, as_it_stands, compile_policy, compile_request, render
from ctxengine.policy import Layer, layer_from_mapping, load_layers
from ctxengine.request import Request, read_request, with_content_lists
from ctxengine.target import Target, target_of
from ctxengine.tokens import CalibratedCounter, TokenCounter

MODES = ("enforce", "shadow", "off")
MODE_VARIABLE = "CTXENGINE_MODE"
