"""Why the emulator's answers differ from recorded ones: the first row whose name and aspect fit, as far as is known."""

from __future__ import annotations

SIZE, SHAPE, CACHE = "input tokens, estimated", "usage structure", "cache"
SIZE_OF_PADDED = f"{SIZE}, of padded prompts"
PADDED = "padded with one sentence over and over, which tokenizes better than the prose that the estimate is fitted to"
SCHEMAS = "strict tool schemas are not compiled: nothing to do with context"
KEYS = "any key is taken, so that tests need none"
SERVER_TOOLS = "server tools: their instructions, and results that stay on the server, are not in the request"
WARM = "read what was stored before the recording began"
OLDER = "without a field that replies to like requests have: most likely an older reply"
ADAPTIVE = "a tool and adaptive thinking on this model: some 400 tokens that the request does not show"

REASONS: tuple[tuple[str, str, str], ...] = (
    ("auth_rejection_carries_identity", "", KEYS),
    ("error_identity_accessors", "", KEYS),
    ("raises_appropriate_auth_error", "", KEYS),
    ("boolean_true_subschema", "", SCHEMAS),
    ("recursive_ref", "", SCHEMAS),
    ("hit_internal_limit", "", SCHEMAS),
    ("twenty_one_strict_tools", "", SCHEMAS),
    ("context_length_exceeded", "", "the recording holds a placeholder where the long text was"),
    ("conformance_streaming_probe", CACHE, WARM),
    ("cache_bedrock_real_api", CACHE, WARM + "; the second prompt adds more than the padded first one lets expect"),
    ("cache_count_tokens", CACHE, WARM),
    ("cache_real_api", CACHE, WARM),
    ("advisor_tool", SIZE, "the advisor's instructions and its own pass are not in the request"),
    ("advisor_tool", SHAPE, "the advisor's own pass is not emulated"),
    ("code_execution_files_cache", SIZE, SERVER_TOOLS),
    ("prefix_stable_automatic", CACHE, WARM),
    ("prefix_stable_messages", CACHE, SERVER_TOOLS),
    ("test_context_management", SIZE, SERVER_TOOLS),
    ("test_context_management", SHAPE, OLDER),
    ("deferred_capability", SIZE, SERVER_TOOLS),
    ("memory_tool", SHAPE, OLDER),
    ("usage_limit_not_exceeded", SHAPE, OLDER),
    ("tool_with_thinking", SHAPE, OLDER),
    ("nonstreaming__22e24c", SHAPE, OLDER),
    ("adaptive_thinking_streaming", SHAPE, OLDER),
    ("adaptive_thinking_streaming", SIZE, ADAPTIVE),
    ("inline_system_prompt", SHAPE, "thinking tokens are reported although thinking is off"),
    ("compaction_end_to_end", SHAPE, "one of three recorded compactions reports server tool use, of nought"),
    ("task_budget", SIZE, "the announcement of a task budget, some 43 tokens, is not in the request"),
)  # fmt: skip
"""Part of a recording's name, how the aspect begins, and the reason."""


def reason_for(recording: str, aspect: str) -> str:
    """Why they differ; empty where nobody knows."""
    known = (why for part, start, why in REASONS if part in recording and aspect.startswith(start))
    return next(known, PADDED if aspect == SIZE_OF_PADDED else "")
