"""The standing query in a file, so that a node started again shows what the last one showed."""

from __future__ import annotations

from collections.abc import Sequence
import json
import os
from pathlib import Path

from folk_ros.cloud_files import replacing

MAX_BYTES = 1 << 20
FORMAT = 'folk_ros standing query 1'


def state_folder(named: str) -> Path:
    """Return the folder for state: the one named, else below ROS_HOME, else below ~/.ros."""
    if named:
        return Path(named).expanduser()
    return Path(os.environ.get('ROS_HOME') or Path.home() / '.ros') / 'folk_ros'


class StandingFile:
    """What one node, known by its full name, keeps."""

    def __init__(self, folder: Path, node_name: str) -> None:
        self.path = folder / f'{node_name.strip("/").replace("/", ".")}.standing_query.json'

    def read(self, given: Sequence[str]) -> list[str] | None:
        """
        Return what the last run kept; None if it kept nothing.

        `given` is the standing query of the parameters: where it is not what it was then, the
        user has changed his mind since, and None is returned too. Raises ValueError with a
        sentence for a file that is not ours.
        """
        try:
            if self.path.stat().st_size > MAX_BYTES:
                raise ValueError(f'{self.path}: expected a small file of ours; remove it')
            stored = json.loads(self.path.read_text(encoding='utf-8'))
        except FileNotFoundError:
            return None
        except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
            raise ValueError(f'{self.path}: cannot be read ({error}); remove it') from None
        texts = stored.get('texts') if isinstance(stored, dict) else None
        ours = isinstance(texts, list) and all(isinstance(text, str) for text in texts)
        if texts is None or not ours or stored.get('format') != FORMAT:
            raise ValueError(f'{self.path}: is no standing query of ours; remove it')
        return list(texts) if stored.get('given') == list(given) else None

    def write(self, texts: Sequence[str], given: Sequence[str]) -> None:
        """Keep texts; raises OSError where the folder cannot be written."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        stored = {'format': FORMAT, 'texts': list(texts), 'given': list(given)}
        with replacing(self.path) as file:
            file.write(json.dumps(stored, ensure_ascii=False).encode('utf-8'))
