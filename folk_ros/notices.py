"""What a user should know about a cloud although it was segmented: sentences, not errors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
import logging
import time

AGAIN_S = 60.0  # the same kind is logged so often at most


@dataclass(frozen=True)
class Notice:
    """A sentence about the last cloud; its `kind` is the same when only the numbers differ."""

    kind: str
    text: str


class NoticeLog:
    """Logs notices when they are new, and again now and then while they last."""

    def __init__(self, log: logging.Logger) -> None:
        self._log = log
        self._told: dict[str, float] = {}  # kind: when, by the steady clock

    def tell(self, notices: Sequence[Notice]) -> None:
        """Log what was not logged lately; a kind that went away is new when it comes back."""
        now = time.monotonic()
        told = {notice.kind: self._told.get(notice.kind) for notice in notices}
        for notice in notices:
            last = told[notice.kind]
            if last is None or now - last >= AGAIN_S:
                self._log.warning('%s', notice.text)
                told[notice.kind] = now
        self._told = {kind: when for kind, when in told.items() if when is not None}
