"""
Definitions from WordNet: `python -m folk_ros.training.wordnet DICT OUT.tsv.gz`.

DICT is the folder `dict` of WordNet 3.1 (wordnet.princeton.edu). Each noun gets the definition of
its commonest meaning among the things that people make (the lexicographer file noun.artifact).
"""

from __future__ import annotations

import gzip
from pathlib import Path
import sys

ARTIFACT = 6  # number of the lexicographer file, see lexnames(5WN)


def definitions(folder: Path) -> dict[str, str]:
    """Read what artifacts are, word by word; ValueError if a file is not WordNet's."""
    try:
        data = (folder / 'data.noun').read_bytes()
        index = (folder / 'index.noun').read_text(encoding='ascii').splitlines()
        found = {}
        for line in index:
            if line.startswith(' '):  # the licence
                continue
            parts = line.split()
            for offset in parts[-int(parts[2]) :]:
                begin = int(offset)
                kind, gloss = _sense(data[begin : data.index(b'\n', begin)])
                if kind == ARTIFACT:
                    found[parts[0].replace('_', ' ')] = gloss
                    break
    except (OSError, ValueError, IndexError) as error:
        raise ValueError(f'{folder}: not the files of WordNet ({error})') from error
    return found


def _sense(line: bytes) -> tuple[int, str]:
    """Return lexicographer file and definition of a line of data.noun; see wndb(5WN)."""
    fields, gloss = line.decode('ascii').split(' | ', 1)
    return int(fields.split()[1]), gloss.split('; "')[0].strip()


def write(found: dict[str, str], out: Path) -> None:
    """Write words and definitions, the same bytes each time."""
    text = ''.join(f'{word}\t{found[word]}\n' for word in sorted(found))
    with out.open('wb') as raw, gzip.GzipFile('', 'wb', 9, raw, mtime=0) as file:
        file.write(text.encode())


if __name__ == '__main__':
    write(definitions(Path(sys.argv[1])), Path(sys.argv[2]))
