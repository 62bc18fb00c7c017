"""Preserved thinking: a thinking block is bound to what stood before it, as the client sent it.

Edits on the server's side change nothing there, so they leave it valid. What the client changes does not: other text,
results, tools or system prompt before the block, or thinking taken out from between other thinking. The check starts
anew at the newest compaction block.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from ctxengine.conversation import THINKING, blocks_of, field_of
from ctxengine.edits.compact_effect import newest_block
from ctxengine.semantics.prefixes import digest, digest_text, extended, head_of
from ctxengine.semantics.signatures import NO_CHAIN, Signer

KIND = "thinking"
SIGNED = {"thinking": "signature", "redacted_thinking": "data"}
"""Where each kind of thinking has its signature."""


@dataclass(frozen=True, slots=True)
class Unbound:
    """A thinking block that does not belong where it stands."""

    message: int
    block: int
    reason: Literal["signature", "prefix"]
    """``signature`` is no longer the block that was signed; ``prefix`` stands after something else."""

    @property
    def path(self) -> str:
        return f"messages.{self.message}.content.{self.block}"


@dataclass(frozen=True, slots=True)
class _Met:
    """A thinking block on the way through a prompt, and what stands before it."""

    message: int
    at: int
    block: Any
    chain: bytes
    previous: bytes


def signed(
    request: Mapping[str, Any], content: Sequence[Any], block: Mapping[str, Any], signer: Signer
) -> Mapping[str, Any]:
    """A block as the model writes it after ``request`` and the reply's ``content`` so far: thinking has a signature.

    Thinking that has one already, as in a recording, keeps it where the signer lets it pass.
    """
    field = SIGNED.get(block["type"])
    if field is None or (signer.foreign and block.get(field)):
        return block
    messages = [*(request.get("messages") or ()), {"role": "assistant", "content": [*content, {"type": KIND}]}]
    *_, last = _walk(messages, signer)
    text = digest_text(str(block.get("thinking") or ""))
    return {**block, field: signer.seal(KIND, text, _prefix(request, last.chain), last.previous)}


def chain_of(messages: Sequence[Any], signer: Signer) -> bytes:
    """Where a history ends: what an on-demand block takes along, so that thinking kept after it stays valid."""
    *_, last = _walk([*messages, {"role": "assistant", "content": [{"type": KIND}]}], signer)
    return last.chain


def check_bound(request: Mapping[str, Any], signer: Signer) -> tuple[Unbound, ...]:
    """Every replayed thinking block that does not fit, in prompt order; empty where all is well."""
    messages = request.get("messages") or ()
    found = ((met, _fault(request, met, signer)) for met in _walk(messages, signer))
    return tuple(Unbound(met.message, met.at, fault) for met, fault in found if fault)


def _fault(request: Mapping[str, Any], met: _Met, signer: Signer) -> Literal["signature", "prefix"] | None:
    signature = _signature(met.block)
    if signer.is_foreign(signature):
        return None
    parts = signer.open(KIND, signature)
    text = field_of(met.block, "thinking") or ""
    if parts is None or (field_of(met.block, "type") == KIND and parts[0] != digest_text(str(text))):
        return "signature"
    fits = parts[1] == _prefix(request, met.chain) and met.previous in (NO_CHAIN, parts[2])
    return None if fits else "prefix"


def _walk(messages: Sequence[Any], signer: Signer) -> Iterator[_Met]:
    """The thinking blocks from the newest compaction block on."""
    start = newest_block(messages) or (0, 0)
    chain, previous = NO_CHAIN, NO_CHAIN
    for index in range(start[0], len(messages)):
        role = field_of(messages[index], "role")
        for at, block in enumerate(blocks_of(messages[index])):
            kind = field_of(block, "type")
            if (index, at) < start:
                continue
            if kind in THINKING:
                yield _Met(index, at, block, chain, previous)
                previous = digest_text(str(_signature(block)))
            elif kind == "compaction":
                chain = _after_block(block, chain, signer)
            else:
                chain = extended(chain, role, block)


def _after_block(block: Any, chain: bytes, signer: Signer) -> bytes:
    """A failed compaction changes nothing; a signed one stands for the messages that it was made of."""
    content = field_of(block, "content")
    if not content:
        return chain
    return signer.summary_chain(block) or digest(b"compaction", str(content).encode("utf-8", "surrogatepass"))


def _prefix(request: Mapping[str, Any], chain: bytes) -> bytes:
    return digest(head_of(request), chain)


def _signature(block: Any) -> Any:
    return field_of(block, SIGNED[field_of(block, "type")])
