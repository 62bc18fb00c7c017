"""AWS event-stream framing, as InvokeModelWithResponseStream has it."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Mapping
from struct import pack
from typing import Any
from zlib import crc32

from ctxengine.emulator.wire import utf8

HEADERS = {":event-type": "chunk", ":content-type": "application/json", ":message-type": "event"}
STRING = 7
"""The type of a header whose value is text."""


def frame(event: Mapping[str, Any]) -> bytes:
    """One event of the Messages API in a frame of its own: lengths and headers, payload, a checksum after each part."""
    payload = json.dumps({"bytes": b64encode(utf8(event)).decode()}).encode()
    headers = b"".join(_header(name, value) for name, value in HEADERS.items())
    prelude = pack("!II", 16 + len(headers) + len(payload), len(headers))
    head = prelude + pack("!I", crc32(prelude)) + headers + payload
    return head + pack("!I", crc32(head))


def _header(name: str, value: str) -> bytes:
    return pack("!B", len(name)) + name.encode() + pack("!BH", STRING, len(value)) + value.encode()
