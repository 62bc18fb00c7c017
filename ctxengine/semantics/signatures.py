"""Signatures of our own, so that a changed block is seen: they say for each part whether it is still the same.

The API's signatures cannot be read. Blocks it signed pass where ``foreign`` is set, and are refused otherwise.
"""

from __future__ import annotations

import hashlib
import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from typing import Any, Literal

from ctxengine.conversation import field_of
from ctxengine.semantics.prefixes import WIDTH, canonical, digest, digest_text

MARK = "ctxe1."
NO_CHAIN = bytes(WIDTH)
"""Where nothing stands before."""

SummaryFault = Literal["signature", "content", "tool-changes"]


@dataclass(frozen=True, slots=True)
class Signer:
    """Signs compaction blocks and thinking, and tells what no longer fits."""

    key: bytes
    foreign: bool = False
    """Whether signatures that are not ours pass unread, as in a replayed recording."""

    def is_foreign(self, signature: Any) -> bool:
        return self.foreign and isinstance(signature, str) and not signature.startswith(MARK)

    def summary(self, content: str, chain: bytes) -> str:
        """The signature of an on-demand compaction block; ``chain`` is where the summarised messages end."""
        return self.seal("summary", digest_text(content), digest(canonical(None)), chain)

    def summary_fault(self, block: Any) -> SummaryFault | None:
        """What of a signed compaction block is not as it was signed."""
        signature, content = field_of(block, "signature"), field_of(block, "content")
        if self.is_foreign(signature):
            return None
        parts = self.open("summary", signature)
        if parts is None:
            return "signature"
        if parts[0] != digest_text(str(content)):
            return "content"
        return None if parts[1] == digest(canonical(field_of(block, "tool_changes"))) else "tool-changes"

    def summary_chain(self, block: Any) -> bytes | None:
        """Where the messages end that a signed block stands for; ``None`` for a block that is not ours."""
        parts = self.open("summary", field_of(block, "signature"))
        return parts[2] if parts else None

    def seal(self, kind: str, *parts: bytes) -> str:
        body = b"".join(parts)
        return MARK + urlsafe_b64encode(body + self._mac(kind, body)).decode()

    def open(self, kind: str, signature: Any) -> tuple[bytes, bytes, bytes] | None:
        """The three parts of a signature of ours, ``None`` where it is none."""
        if not isinstance(signature, str) or not signature.startswith(MARK):
            return None
        try:
            raw = urlsafe_b64decode(signature[len(MARK) :].encode())
        except ValueError:
            return None
        if MARK + urlsafe_b64encode(raw).decode() != signature:  # the decoder skips what is no base64
            return None
        body, mac = raw[:-WIDTH], raw[-WIDTH:]
        if len(body) != 3 * WIDTH or not hmac.compare_digest(mac, self._mac(kind, body)):
            return None
        return body[:WIDTH], body[WIDTH : 2 * WIDTH], body[2 * WIDTH :]

    def _mac(self, kind: str, body: bytes) -> bytes:
        return hmac.new(self.key, kind.encode() + body, hashlib.sha256).digest()[:WIDTH]
