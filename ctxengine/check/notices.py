"""Findings that no rule makes: what loading, merging, compiling, plugins and readers have to say."""

from __future__ import annotations

from typing import NamedTuple

from ctxengine.findings import Severity


class Notice(NamedTuple):
    """One kind of finding that comes up outside the rules; it can be ignored by id as a rule can."""

    id: str
    severity: Severity
    summary: str


NOTICES: tuple[Notice, ...] = (
    Notice("catalog-capabilities", "error", "A live Models API answer has no id."),
    Notice("catalog-overlay", "error", "A catalog overlay does not have the catalog's shape."),
    Notice("compaction-needs-session", "info", "The policy asks for a compaction that one request alone cannot do."),
    Notice(
        "degraded", "info", "An edit or beta is left out, since the target lacks it and on_unsupported is `degrade`."
    ),
    Notice("edit-break-even", "warning", "A break_even amount cannot be worked out, so clear_at_least is left out."),
    Notice("edit-compact-raised", "info", "A compaction trigger is raised to the API's minimum."),
    Notice("faults-malformed", "error", "The emulator's list of faults cannot be read."),
    Notice("mode-unknown", "warning", "CTXENGINE_MODE names no mode, so the policy's own is used."),
    Notice("platform-unknown", "error", "There is no platform of that name."),
    Notice("plugin-disabled", "info", "A plugin is left out, since CTXENGINE_DISABLE_PLUGINS is set."),
    Notice(
        "plugin-failed", "warning", "A plugin raised or gave an unusable answer, and is left out; strict: an error."
    ),
    Notice("plugin-unknown", "error", "The policy uses a plugin that is not installed."),
    Notice(
        "policy-conflict", "error", "Compaction is asked for in two ways; from plugins, a contradiction: a warning."
    ),
    Notice("policy-lock", "error", "A locked value would be changed, and is not; for plugins a warning."),
    Notice("policy-schema", "error", "A file is no policy: wrong JSON, types or names, or a wrong `extends`."),
    Notice("script-malformed", "error", "The emulator's script cannot be read."),
    Notice("section-needs-session", "info", "A budget, guard or checkpoint: build sees one request, so none acts."),
    Notice("simulate-mode", "info", "A policy that is not enforced yet is compared as if it were."),
    Notice("simulate-model", "error", "A transcript names no model, so it cannot be simulated."),
    Notice("simulate-no-turns", "warning", "A transcript holds no answer, so there is no turn to simulate."),
    Notice("simulate-overflow", "warning", "A policy lets a conversation outgrow the window."),
    Notice("simulate-price", "warning", "The catalog does not know a transcript's model, or no price of it."),
    Notice(
        "simulate-request", "warning", "The API would refuse a recorded request itself, as for a model that takes less."
    ),
    Notice("simulate-session", "warning", "A policy compacts between requests, which is not simulated."),
    Notice("switch-unknown", "error", "There is no switch of that name, or it has no such value."),
    Notice("transcript-context", "info", "A file holds several conversations, of which one is taken."),
    Notice("transcript-malformed", "error", "A line of a transcript cannot be read."),
    Notice("transcript-repaired", "info", "A transcript was repaired, for instance where a tool use was interrupted."),
    Notice("transcript-repeated", "warning", "A file holds conversations that another one of it begins with."),
    Notice("transcript-skipped", "warning", "Lines of a transcript that cannot be read were skipped."),
    Notice("transcript-tools", "info", "Tool definitions were made up for a transcript that has none."),
    Notice("transcript-times", "warning", "A recording's times run backwards, or cannot be read."),
    Notice("transcript-usage", "warning", "A recording's bills are missing, or are no numbers."),
    Notice("transcript-unknown", "warning", "A transcript has blocks of a type that the API does not have."),
    Notice("window-unknown", "warning", "A window fraction is asked for, but the model's window is unknown."),
)
