"""The scenarios by name, one module each."""

from __future__ import annotations

from examples.record.scenarios import (
    bug_hunt,
    chat_notes,
    data_analysis,
    refactor_json,
    research_notes,
    sqlite_report,
    stdlib_audit,
    support_desk,
)

SCENARIOS = {
    module.SCENARIO.name: module.SCENARIO
    for module in (
        stdlib_audit,
        bug_hunt,
        data_analysis,
        research_notes,
        support_desk,
        sqlite_report,
        refactor_json,
        chat_notes,
    )
}
