"""The scenarios by name, one module each."""

from __future__ import annotations

from examples.record.scenarios import chat_notes, refactor_json, sqlite_report, stdlib_audit

SCENARIOS = {
    module.SCENARIO.name: module.SCENARIO for module in (stdlib_audit, sqlite_report, refactor_json, chat_notes)
}
