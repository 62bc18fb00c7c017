"""The Messages API's context management for tests and for work offline: nothing here reaches the real one."""

from __future__ import annotations

from ctxengine.emulator.emulator import Emulator
from ctxengine.emulator.faults import KINDS as FAULTS
from ctxengine.emulator.wire import Answer, Call, Received

__all__ = ["FAULTS", "Answer", "Call", "Emulator", "Received"]
