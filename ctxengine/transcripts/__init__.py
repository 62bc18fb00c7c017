"""Readers of recorded conversations: each becomes keyword arguments that the Messages API accepts."""

from ctxengine.transcripts.reading import Draft, Reader, draft_flaw
from ctxengine.transcripts.records import is_count
from ctxengine.transcripts.registry import READERS, read_request, read_transcripts
from ctxengine.transcripts.schema import transcript_schema
from ctxengine.transcripts.source import Notes, Row
from ctxengine.transcripts.transcript import Recorded, Transcript

__all__ = [
    "READERS",
    "Draft",
    "Notes",
    "Reader",
    "Recorded",
    "Row",
    "Transcript",
    "draft_flaw",
    "is_count",
    "read_request",
    "read_transcripts",
    "transcript_schema",
]
