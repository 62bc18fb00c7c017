"""Conversations in, comparison out: the policies once, then every transcript on its own."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from ctxengine.catalog import Catalog, default_catalog
from ctxengine.catalog.rows import plain
from ctxengine.edits.switches import Switches, switches_of
from ctxengine.engine import Engine
from ctxengine.findings import Finding
from ctxengine.simulate.planned import Candidate
from ctxengine.simulate.remarks import compared_as_it_is, named, no_turns, overflows, unusable
from ctxengine.simulate.replay import Replay, Row
from ctxengine.simulate.scan import Scan, scan
from ctxengine.simulate.sources import find_files
from ctxengine.simulate.subject import target_for, unpriced, with_thinking
from ctxengine.simulate.summing import Summed, Sums
from ctxengine.simulate.totals import BASELINE, Tally, Totals, verdict
from ctxengine.transcripts import Transcript, read_transcripts

Policy = str | Path | Mapping[str, Any]
ASSUMED_GAP = 30.0
"""Seconds between two requests where the recording has no times."""


@dataclass(frozen=True, slots=True)
class Session:
    """One conversation under every policy, the one without a policy first."""

    transcript: str
    model: str = ""
    turns: int = 0
    totals: tuple[Totals, ...] = ()
    rows: tuple[Row, ...] = ()
    """A plain dict for each policy and turn, one policy after the other."""
    edits: Mapping[str, Sequence[Mapping[str, Any]]] = field(default_factory=dict)
    """By policy: the edits that it sends, with the API's defaults."""
    recorded_usd: float | None = None
    """What the recorded responses were billed, at today's prices; ``None`` where the record does not say."""
    bills: int = 0
    """Recorded bills that the sizes rest on; with 0 they are estimates."""
    timed: bool = False
    """Whether the times of the turns are the recording's."""
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True)
class Results:
    """All sessions; a file that could not be read is one without turns."""

    policies: tuple[str, ...]
    sessions: tuple[Session, ...] = field(repr=False)

    def rows(self) -> Iterator[Row]:
        for session in self.sessions:
            yield from session.rows

    def summed(self) -> Summed:
        """The sessions that can be compared, added up: where the fewest policies are refused."""
        sums = Sums(self.policies)
        for session in self.sessions:
            sums.add(session)
        return sums.compared

    def totals(self) -> tuple[Totals, ...]:
        """One for each policy, over the sessions that can be compared."""
        return self.summed().totals

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What there is to say about the sessions, each once."""
        return tuple(dict.fromkeys(finding for session in self.sessions for finding in session.findings))

    def verdict(self) -> str:
        return verdict(self.totals())


@dataclass
class Simulator:
    """What is compared and how. It can be pickled: every process makes its own engines."""

    policies: Sequence[Policy]
    model: str | None = None
    platform: str | None = None
    lenient: bool = False
    rows: bool = True
    """Whether sessions keep their turns, or only totals."""
    gap: float = ASSUMED_GAP
    catalog: Catalog | None = None
    switches: Mapping[str, str] | None = None
    plugins: Sequence[object] = ()

    @cached_property
    def candidates(self) -> tuple[Candidate, ...]:
        """The policies, after the one that does nothing.

        Raises:
            PolicyError: a file is no policy.
        """
        names = _names(self.policies)
        engines = [self._engine(policy) for policy in self.policies]
        none = Engine.from_policy({"version": "1"}, plugins=self.plugins, catalog=self.catalog)
        found = (Candidate(name, engine.under("enforce")) for name, engine in zip(names, engines, strict=True))
        return (Candidate(BASELINE, none.under("off"), baseline=True), *found)

    @cached_property
    def _switches(self) -> Switches:
        return switches_of(self.switches, self.catalog)

    def __getstate__(self) -> dict[str, Any]:
        made = ("candidates", "_switches")
        return {name: value for name, value in vars(self).items() if name not in made}

    def files(self, paths: Iterable[str | Path]) -> Iterator[Session]:
        """Every conversation of the files; one that cannot be read is a session with nothing but findings."""
        for path in paths:
            try:
                transcripts = read_transcripts(
                    path, lenient=self.lenient, readers=self.candidates[0].engine.host.readers
                )
            except Exception as error:
                yield Session(str(path), findings=tuple(unusable(error, str(path))))
                continue
            for transcript in transcripts:
                yield self.session(transcript, str(path))

    def session(self, transcript: Transcript, file: str | None = None) -> Session:
        """One conversation."""
        file = file or transcript.name
        catalog = self.catalog or default_catalog()
        try:
            transcript = with_thinking(transcript, catalog, self.model or transcript.request.get("model"))
            target = target_for(transcript, catalog, self.model, self.platform, file)
            made = scan(transcript, target, catalog, self._switches, gap=self.gap)
            if not made.turns:
                return Session(transcript.name, target.model, findings=(*transcript.findings, no_turns(file)))
            return self._compared(transcript, made, catalog, file)
        except Exception as error:
            why = unusable(error, file, transcript)
            return Session(transcript.name, findings=(*transcript.findings, *why))

    def _compared(self, transcript: Transcript, made: Scan, catalog: Catalog, file: str) -> Session:
        rows: list[Row] = []
        totals: list[Totals] = []
        edits: dict[str, Sequence[Mapping[str, Any]]] = {}
        flaws: tuple[Finding, ...] = ()
        findings = [*transcript.findings, *unpriced(made.target, catalog, file)]
        for candidate in self.candidates:
            replay = Replay(made, candidate, catalog, self._switches, transcript.name, flaws)
            first = replay.plan
            edits[candidate.name] = [{"type": type_, **plain(params)} for type_, params in first.edits.items()]
            tally = Tally(transcript.name, candidate.name)
            for row in replay.rows():
                tally.add(row)
                if self.rows:
                    rows.append(row)
            tally.totals["refused"] = int(bool(replay.plan.refusals))
            if replay.plan.refusals and not tally.totals["turns"]:
                tally.totals["cost_usd"] = None  # what is not sent is not cheap
            findings += named(overflows(tally.totals, made), file, transcript.place)
            if candidate.baseline:
                flaws = first.flaws + replay.plan.flaws
            else:
                findings += named(map(compared_as_it_is, replay.plan.flaws), file, transcript.place)
            findings += named(replay.plan.refusals, file, transcript.place)
            findings += replay.plan.warnings
            totals.append(tally.totals)
        timed = any(entry.timestamp for entry in transcript.recorded)
        recorded, bills = made.recorded_usd, made.fit.bills
        return Session(
            transcript.name, made.target.model, len(made.turns), tuple(totals), tuple(rows), edits, recorded, bills,
            timed, tuple(dict.fromkeys(findings)),
        )  # fmt: skip

    def _engine(self, policy: Policy) -> Engine:
        if isinstance(policy, Mapping):
            return Engine.from_policy(policy, plugins=self.plugins, catalog=self.catalog)
        return Engine.load(policy, plugins=self.plugins, catalog=self.catalog)


def simulate(transcripts: Iterable[Transcript | str | Path], policies: Sequence[Policy], **how: Any) -> Results:
    """Replay recorded conversations under several policies. The recorded turns stay as they were.

    Args:
        transcripts: conversations, or files, folders and patterns of files that hold some.
        policies: files, presets (``ctxengine:agentic``) or policies as dicts.
        how: fields of :class:`Simulator`: ``model``, ``platform``, ``lenient``, ``rows``, ``gap``, ``catalog``,
            ``switches``, ``plugins``.

    Raises:
        PolicyError: a file is no policy. What is wrong with a transcript stands in its session's findings.
    """
    for name, one in (("transcripts", transcripts), ("policies", policies)):
        if isinstance(one, (str, Path, Mapping, Transcript)):
            raise TypeError(f"{name} takes a list; put the one there is into brackets")
    simulator = Simulator(policies, **how)
    names = tuple(candidate.name for candidate in simulator.candidates)
    sessions: list[Session] = []
    for given in transcripts:
        if isinstance(given, Transcript):
            sessions.append(simulator.session(given))
            continue
        files, missing = find_files([str(given)])
        sessions += [Session(str(given), findings=missing)] if missing else []
        sessions += simulator.files(files)
    return Results(names, tuple(sessions))


def _names(policies: Sequence[Policy]) -> list[str]:
    """What the columns are called: a preset's name, a file's stem, or its path where another has that stem; a dict's
    own name; each once."""
    stems = [_stem(policy, number) for number, policy in enumerate(policies, start=1)]
    names: list[str] = []
    for number, (policy, stem) in enumerate(zip(policies, stems, strict=True), start=1):
        paths = stems.count(stem) > 1 and isinstance(policy, (str, Path))
        name = str(Path(str(policy)).with_suffix("")) if paths else stem
        while name in (*names, BASELINE):
            name = f"{name} ({number})"
        names.append(name)
    return names


def _stem(policy: Policy, number: int) -> str:
    if isinstance(policy, Mapping):
        return str(policy.get("name") or f"policy {number}")
    return Path(str(policy).removeprefix("ctxengine:")).stem
