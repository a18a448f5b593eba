"""Malformed messages fed to a node in a child process; the child may die, and is started again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
import json
from pathlib import Path
import queue
import subprocess
import threading
from typing import Any

from folk_ros.cli.output import Progress
from folk_ros.cli.soaking.tally import HANG_S, Tally

LOAD_S = 180.0
DEAD_S = 20.0  # a case that takes longer has to be ended
MAX_STARTS = 20


def run(child: Sequence[str], arguments: Sequence[str], numbers: range, log: Path) -> list[Tally]:
    """
    Throw the cases of these numbers; return one tally per kind, and one of the checks.

    `child` is the command of inside_child without its arguments, `arguments` those before and
    after the numbers: the seed, then the points and the model.
    """
    book, first, again = _Book(len(numbers)), numbers.start, -1
    for _ in range(MAX_STARTS):
        command = [*child, arguments[0], str(first), str(numbers.stop), *arguments[1:]]
        end = book.follow(_events(command, log, first - 1))
        if end is None:
            break
        number = end['number']
        if end['event'] == 'hang' and number >= first and number != again:
            first = again = number  # once more: others may have had the processor
            continue
        book.note_end(end)
        first = number + 1
        if number < numbers.start or first >= numbers.stop:
            break
    return book.tallies()


class _Book:
    """Counts what a child tells."""

    def __init__(self, total: int) -> None:
        self._found: dict[str, Tally] = {}
        self._checks = Tally('good clouds between them')
        self._progress = Progress('cases by hand', total)
        self._kind = ''  # of the case that runs

    def follow(self, events: Iterator[dict[str, Any]]) -> dict[str, Any] | None:
        """Count until the child ends; the 'hang' or 'death' that it was, None if it was none."""
        for event in events:
            if event['event'] == 'check':
                _count_check(self._checks, event)
            elif event['event'] == 'begin':
                self._kind = event['kind']
            elif event['event'] == 'end':
                _count(self._tally(self._kind), event)
                self._kind = ''
                self._progress.step()
            else:
                return event
        return None

    def _tally(self, kind: str) -> Tally:
        return self._found.setdefault(kind, Tally(kind))

    def note_end(self, event: dict[str, Any]) -> None:
        """Count a child that hung or died."""
        tally = self._tally(self._kind or 'between the cases')
        tally.cases += 1
        tally.hangs += event['event'] == 'hang'
        tally.crashes += event['event'] == 'death'
        tally.note(f'case {event["number"]}: {event["said"]}')
        self._kind = ''

    def tallies(self) -> list[Tally]:
        """Return one tally per kind, and that of the checks."""
        found = [self._found[name] for name in sorted(self._found)]
        return [*(tally for tally in found if tally.cases), self._checks]


def _count(tally: Tally, event: dict[str, Any]) -> None:
    what, about = event['what'], f'case {event["number"]}: {event["said"]}'
    if what == 'left out':
        return
    tally.cases += 1
    tally.milliseconds.append(1e3 * event['seconds'])
    tally.refused += what == 'refused'
    tally.unsaid += what == 'unsaid'
    tally.crashes += what == 'crash'
    tally.lost += what == 'lost'
    if what not in ('used', 'refused'):
        tally.note(f'{what}, {about}')
    if event['seconds'] > HANG_S:
        tally.hangs += 1
        tally.note(f'{event["seconds"]:.1f} s, {about}')


def _count_check(tally: Tally, event: dict[str, Any]) -> None:
    tally.cases += 1
    tally.memory_mb.append(event['mb'])
    if event['wrong']:
        tally.wrong += 1
        tally.note(f'after case {event["number"]}: {event["wrong"]}')


def _events(command: Sequence[str], log: Path, number: int) -> Iterator[dict[str, Any]]:
    """Start the child and yield what it tells; at last a 'hang' or 'death', if it was one."""
    with log.open('ab') as sink:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=sink, text=True
        )
    lines: queue.Queue[str] = queue.Queue()
    threading.Thread(target=_read, args=(process, lines), daemon=True).start()
    patience = LOAD_S
    try:
        while line := lines.get(timeout=patience):
            event: dict[str, Any] = json.loads(line)
            number, patience = event['number'], DEAD_S
            yield event
        if process.wait(DEAD_S) != 0:
            said = log.read_text(errors='replace').splitlines()[-1:]
            yield {'event': 'death', 'number': number, 'said': f'{process.returncode}: {said}'}
    except queue.Empty:
        yield {'event': 'hang', 'number': number, 'said': f'nothing for {patience:g} s'}
    finally:
        process.kill()
        process.wait()


def _read(process: subprocess.Popen[str], lines: queue.Queue[str]) -> None:
    assert process.stdout is not None
    for line in process.stdout:
        lines.put(line)
    lines.put('')
