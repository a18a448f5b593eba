"""Where the files lie that come with the program: source tree, pip's share folder, or colcon's."""

from __future__ import annotations

import os
from pathlib import Path
import sys
import sysconfig

SHIPPED = 'rooms'  # model used when none is named


def share_folders() -> list[Path]:
    """Return the folders that may hold msg, config, launch and resource, nearest first."""
    here = Path(__file__).resolve().parents[1]
    prefixes = [p for p in os.environ.get('AMENT_PREFIX_PATH', '').split(os.pathsep) if p]
    roots = [*map(Path, prefixes), Path(sysconfig.get_path('data')), Path(sys.prefix)]
    above = [here, *list(here.parents)[:3]]  # pip --target, --user and --prefix
    return [here, *(root / 'share' / 'folk_ros' for root in (*above, *roots))]


def find_file(relative: str) -> Path:
    """Return a shipped file or folder ('msg/Instance.msg'); FileNotFoundError if it is lost."""
    for folder in share_folders():
        if (folder / relative).exists():
            return folder / relative
    looked = ', '.join(str(folder) for folder in share_folders())
    raise FileNotFoundError(
        f'{relative}: this file comes with folk_ros but was not found in {looked}; install again'
    )


def model_folder(model: str | Path) -> Path:
    """
    Return the folder of a model: a path, the name of a shipped one, or '' for the default.

    Raises FileNotFoundError for a name that none has.
    """
    path = Path(model or SHIPPED)
    # a bare name is a shipped model, also where a folder of that name happens to lie here; './x'
    # is a path, though pathlib forgets the './'
    spelled = str(model).replace(os.sep, '/')
    if '/' in spelled or spelled in ('.', '..'):
        return path
    models = find_file('resource/models')
    if not (models / path).is_dir():
        shipped = ', '.join(sorted(folder.name for folder in models.iterdir() if folder.is_dir()))
        raise FileNotFoundError(
            f'no model {spelled!r} comes with folk_ros; there are {shipped}. A folder of your own '
            f'is written as a path: ./{spelled}'
        )
    return models / path


def text_tower_place(name: str) -> str | Path:
    """Return where a text tower lies: a shipped folder, a folder, or open_clip's NAME/WEIGHTS."""
    try:
        return find_file(f'resource/models/{name}')
    except FileNotFoundError:
        return name
