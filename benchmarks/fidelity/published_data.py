"""Numbers that Anthropic's cookbooks and guides print: nothing here is ours.

Sources: claude-cookbooks, automatic context compaction (per-turn print); claude-cookbooks,
tool_use/context_engineering (SDK 0.84.0); claude-cookbooks, cost optimisation; docs, optimising cost.
"""

from __future__ import annotations

COMPACTION_THRESHOLD = 5_000
TICKETS_IN = (
    1537, 1760, 1905, 2237, 2385, 2537, 2888, 3079, 3316, 3450, 3777, 3925, 4077, 4476, 4668, 4894, 5028, 5333, 5481,
    5633, 6017, 6209, 6435, 6569, 6896, 7044, 7196, 7618, 7808, 8040, 8179, 8508, 8656, 8808, 9190, 9382, 9475,
)  # fmt: skip
TICKETS_OUT = (
    57, 102, 88, 84, 89, 301, 67, 56, 91, 84, 84, 89, 349, 67, 56, 91, 84, 84, 89, 334, 67, 56, 91, 84, 84, 89, 372,
    67, 56, 96, 85, 84, 89, 332, 67, 60, 297,
)  # fmt: skip
COMPACTED_IN = (
    1537, 1755, 1906, 2216, 2364, 2516, 2898, 3090, 3325, 3465, 3801, 3949, 4101, 4519, 4711, 4934, 1774, 1906, 2365,
    3164, 3383, 3872, 4687, 4914, 2077, 2942,
)  # fmt: skip
COMPACTED_OUT = (
    57, 108, 88, 84, 89, 332, 67, 56, 97, 90, 84, 89, 368, 67, 57, 97, 94, 95, 431, 60, 160, 447, 64, 160, 496, 438,
)  # fmt: skip
TICKETS_TOTALS = (208_838, 86_446)

DOCUMENTS = (41_260, 41_200, 41_155, 41_095, 41_115, 41_101, 41_017, 41_012)
BASELINE_TURNS, BASELINE_PEAK = 5, 335_279
COMPACTION_PEAK, COMPACTION_SUMMARY = 169_164, 2_783
CLEARING_CONTEXTS = (1_058, 166_043, 169_211, 169_174, 169_255, 169_313, 173_137)
CLEARING_CLEARED = {3: (4, 163_817), 4: (4, 163_811), 5: (4, 163_807), 6: (4, 162_930)}
CLEARED_TRULY = 164_400
ALL_THREE_CONTEXTS = (
    2_106, 2_206, 167_185, 169_938, 4_798, 4_901, 8_121, 10_524, 12_799, 13_096, 13_290, 13_461, 13_749,
)  # fmt: skip
ALL_THREE_CLEARED = {
    4: (2, 81_993), 5: (2, 81_810), 6: (2, 81_683), 7: (2, 81_508), 8: (2, 81_413), 9: (4, 162_379), 10: (4, 162_371),
    11: (4, 162_337), 12: (4, 162_331),
}  # fmt: skip
ALL_THREE_SUMMARY = 2_839
MEMORY_PEAKS = (333_977, 172_623)
"""Without notes of an earlier session, and with them."""

CLAIMS = {"unmanaged": 1.7945, "context editing": 1.5722, "compaction": 1.5114, "batch pruning": 1.2820}
TRIAGE = {"context editing": (0.74, 0.0), "compaction": (None, -0.32), "batch pruning": (None, -0.39)}
"""Cost against unmanaged on the short run of 20 issues, and on the long run."""
