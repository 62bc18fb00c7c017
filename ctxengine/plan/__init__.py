"""What will be sent, and why: a compiler of named passes from policy, target and request to a plan."""

from __future__ import annotations

from ctxengine.plan.inputs import CompileInput, ExtraBreakpoint
from ctxengine.plan.passes import PASSES, as_it_stands, compile_policy, compile_request
from ctxengine.plan.plan import Breakpoint, Plan, PlannedBeta, PlannedEdit, Pruned, Unplaced
from ctxengine.plan.render import render

__all__ = [
    "PASSES",
    "Breakpoint",
    "CompileInput",
    "ExtraBreakpoint",
    "Plan",
    "PlannedBeta",
    "PlannedEdit",
    "Pruned",
    "Unplaced",
    "as_it_stands",
    "compile_policy",
    "compile_request",
    "render",
]
