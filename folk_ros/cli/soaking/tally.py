"""What is counted while the node is ill-treated, the bars it is held against, and the table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
import statistics
from typing import Any

from folk_ros.cli.output import table

HANG_S = 1.0  # nothing may take longer, while the machine has nothing else to do
P99_MS = 100.0
GROWTH_PERCENT = 1.0
COUNTS = ('unsaid', 'crashes', 'hangs', 'lost', 'wrong')  # of which there may be none
KEPT = 20  # examples of what went wrong
HEADER = (
    *('fault', 'cases', 'refused', 'unsaid', 'crashes', 'hangs', 'lost', 'wrong', 'late'),
    *('p50 ms', 'p99 ms', 'MB start', 'MB end', 'verdict'),
)


@dataclass
class Tally:
    """What came of one kind of fault."""

    fault: str
    cases: int = 0
    refused: int = 0  # with a reason
    unsaid: int = 0  # refused without a reason that a person understands
    crashes: int = 0  # of the node's process, or exceptions that would end it
    hangs: int = 0  # cases that took more than HANG_S
    lost: int = 0  # questions without an answer
    wrong: int = 0  # answers to another question, or not what is there
    late: int = 0  # answers that came after the bar for the 99th percentile
    milliseconds: list[float] = field(default_factory=list)  # of answers, where they are measured
    timed: bool = False  # the milliseconds are held against the bar
    memory_mb: list[float] = field(default_factory=list)  # of the node, after its warm-up
    steady: bool = False  # the memory is held against the bar
    examples: list[str] = field(default_factory=list)  # of what went wrong

    def note(self, what: str) -> None:
        """Keep an example of what went wrong."""
        if len(self.examples) < KEPT:
            self.examples.append(what)

    def percentile(self, share: float) -> float:
        """Return the milliseconds within which a share of all answers came; 0 without any."""
        ordered = sorted(self.milliseconds)
        if not ordered:
            return 0.0
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))]

    def memory(self) -> tuple[float, float]:
        """Return the node's memory at the start and at the end, MB, medians over a tenth each."""
        if not self.memory_mb:
            return 0.0, 0.0
        width = max(1, len(self.memory_mb) // 10)
        return statistics.median(self.memory_mb[:width]), statistics.median(
            self.memory_mb[-width:]
        )

    def missed(self) -> list[str]:
        """Say which bars are missed."""
        said = [f'{name}: {getattr(self, name)}' for name in COUNTS if getattr(self, name)]
        if not self.cases:
            said.append('nothing was tried')
        if self.timed and not self.percentile(0.99) <= P99_MS:
            said.append(f'p99: {self.percentile(0.99):.0f} ms')
        start, end = self.memory()
        if self.steady and not end - start <= start * GROWTH_PERCENT / 100:
            said.append(f'memory: {100 * (end - start) / max(start, 1e-9):+.1f} %')
        return said

    def row(self) -> tuple[str, ...]:
        """Return the line of the table."""
        counts = (self.cases, self.refused, self.unsaid, self.crashes, self.hangs)
        answers = (self.lost, self.wrong, self.late)
        times = [
            f'{self.percentile(share):.1f}' if self.milliseconds else '' for share in (0.5, 0.99)
        ]
        memory = [f'{value:.0f}' if value else '' for value in self.memory()]
        verdict = ', '.join(self.missed()) or 'pass'
        return (self.fault, *map(str, (*counts, *answers)), *times, *memory, verdict)

    def figures(self) -> dict[str, Any]:
        """Return everything as plain values."""
        start, end = self.memory()
        plain = asdict(self)
        del plain['milliseconds']
        return {
            **plain,
            'p50_ms': self.percentile(0.5),
            'p99_ms': self.percentile(0.99),
            'max_ms': max(self.milliseconds, default=0.0),
            'memory_start_mb': start,
            'memory_end_mb': end,
            'missed': self.missed(),
        }


def _sums(tallies: Sequence[Tally]) -> tuple[str, ...]:
    """Return the last line of the table."""
    whole, missed = Tally('all'), sum(bool(tally.missed()) for tally in tallies)
    for name in ('cases', *COUNTS, 'refused', 'late'):
        setattr(whole, name, sum(getattr(tally, name) for tally in tallies))
    return (*whole.row()[:-1], f'{missed} missed' if missed else 'pass')


def report(tallies: Sequence[Tally]) -> str:
    """Lay out what was counted, then examples of what went wrong."""
    rows = [tally.row() for tally in tallies]
    if len(rows) > 1:
        rows.append(_sums(tallies))
    lines = [table(HEADER, rows)]
    for tally in tallies:
        lines += [f'  {tally.fault}: {example}' for example in tally.examples]
    return '\n'.join(lines)
