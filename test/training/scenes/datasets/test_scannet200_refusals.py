"""What is wrong with a folder of ScanNet is said with the name of the file."""

import json

import numpy as np
from PIL import Image
import pytest
from scannet_scans import change_json, numbers, rendered_room, SCAN, thinned, write_scan

from folk_ros.training.scenes.datasets.scannet200 import (
    open_scannet,
    read_label_map,
    read_list,
    read_scan,
    split_scenes,
)


def cut(path, share=0.6):
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])


PLY, SEGS = f'{SCAN}_vh_clean_2.ply', f'{SCAN}_vh_clean_2.0.010000.segs.json'
GROUPS, INFO = f'{SCAN}.aggregation.json', f'{SCAN}.txt'


@pytest.fixture(scope='module')
def small():
    return thinned(rendered_room())


@pytest.mark.parametrize(
    ('spoil', 'says'),
    [
        (lambda f: cut(f / PLY), f'{PLY}: .*the file was cut off'),
        (lambda f: (f / PLY).unlink(), f'{PLY}: there is no such file'),
        (lambda f: (f / SEGS).unlink(), f'{SEGS}: cannot be read'),
        (lambda f: (f / GROUPS).unlink(), f'{SCAN}.aggregation.json: is missing beside'),
        (lambda f: cut(f / SEGS), f'{SEGS}: cannot be read'),
        (lambda f: change_json(f / SEGS, segIndices=[1, 2]), 'expected a segment for each of'),
        (lambda f: change_json(f / SEGS, segIndices=['a']), "whole numbers in 'segIndices'"),
        (
            lambda f: change_json(f / SEGS, segIndices=[9] * len(json_of(f / SEGS)['segIndices'])),
            'it is the annotation of another mesh',
        ),
        (lambda f: change_json(f / GROUPS, segGroups=[{'id': 1}]), "expected 'segGroups' with"),
        (lambda f: (f / GROUPS).write_text('[]'), f'{GROUPS}: expected a JSON object'),
        (lambda f: (f / INFO).unlink(), f'{INFO}: cannot be read'),
        (
            lambda f: (f / INFO).write_text('axisAlignment = 1 2 3\n'),
            'axisAlignment: expected 16 numbers',
        ),
        (
            lambda f: (f / INFO).write_text(f'axisAlignment = {numbers(2 * np.eye(4))}\n'),
            'axisAlignment: expected 16 numbers of a rigid motion',
        ),
        (lambda f: (f / 'pose/20.txt').write_text('1 2 3'), 'pose/20.txt: expected 16 numbers'),
        (lambda f: (f / 'pose/20.txt').write_text('a b'), 'pose/20.txt: expected 16 numbers'),
        (lambda f: (f / 'color/20.jpg').unlink(), r'color/20\.jpg: there is no such image'),
        (lambda f: (f / 'depth/20.png').unlink(), r'depth/20\.png: there is no such image'),
        (
            lambda f: Image.new('I;16', (640, 480)).save(f / 'depth/20.png'),
            'depth/20.png: expected a depth image of 96x72 pixels, got 640x480',
        ),
        (
            lambda f: [p.unlink() for p in (f / 'intrinsic').glob('*')],
            r'expected intrinsic/intrinsic_depth\.txt',
        ),
    ],
)
def test_a_bad_scan_names_the_file(tmp_path, small, spoil, says):
    folder = write_scan(tmp_path, small)
    source = open_scannet(tmp_path)
    read_scan(source, SCAN)
    spoil(folder)
    with pytest.raises(ValueError, match=says):
        read_scan(source, SCAN)


def json_of(path):
    return json.loads(path.read_text())


def test_the_annotation_of_the_full_mesh_is_refused(tmp_path, small):
    folder = write_scan(tmp_path, small, frames=False)
    wanted = read_scan(open_scannet(tmp_path), SCAN).truth.names
    other = folder / f'{SCAN}_vh_clean.aggregation.json'
    (folder / GROUPS).rename(other)
    assert read_scan(open_scannet(tmp_path), SCAN).truth.names == wanted
    change_json(other, segmentsFile=f'scannet.{SCAN}_vh_clean.segs.json')
    with pytest.raises(ValueError, match='the benchmark is scored on those of'):
        read_scan(open_scannet(tmp_path), SCAN)


def test_an_annotated_scan_without_annotation_is_an_error(tmp_path, small):
    scan = split_scenes('val')[0]
    folder = write_scan(tmp_path, small, scan=scan, frames=False)
    for path in folder.glob('*.json'):
        path.unlink()
    with pytest.raises(ValueError, match='the annotation of this scan is missing'):
        read_scan(open_scannet(tmp_path), scan)
    with pytest.raises(ValueError, match='scene0000_00: there is no such scan'):
        read_scan(open_scannet(tmp_path), 'scene0000_00')


@pytest.mark.parametrize(
    ('text', 'says'),
    [
        ('id\tcategory\n1\twall\n', r"columns are missing: \['raw_category'\]"),
        ('id\traw_category\nx\twall\n', "line 2: expected a whole number as id, got 'x'"),
        ('', 'columns are missing'),
    ],
)
def test_a_wrong_label_map_is_named(tmp_path, text, says):
    path = tmp_path / 'scannetv2-labels.combined.tsv'
    path.write_text(text)
    with pytest.raises(ValueError, match=f'combined.tsv: .*{says}'):
        open_scannet(tmp_path)
    with pytest.raises(ValueError, match='combined.tsv: cannot be read'):
        open_scannet(tmp_path / 'nowhere' / 'at all')


def test_the_first_line_of_a_category_wins(tmp_path):
    path = tmp_path / 'map.tsv'
    path.write_text('id\traw_category\n2\tchair\n7\t"quoted" thing\n9\tchair\n')
    assert read_label_map(path) == {'chair': 2, '"quoted" thing': 7}


def test_a_list_without_scenes_is_refused(tmp_path):
    (tmp_path / 'list.txt').write_text('a\nb\n\na\n')
    assert read_list(tmp_path / 'list.txt') == ['a', 'b']
    (tmp_path / 'list.txt').write_text('\n')
    with pytest.raises(ValueError, match='expected one scene id a line'):
        read_list(tmp_path / 'list.txt')
    (tmp_path / 'list.txt').write_text('a\n../b\n')
    with pytest.raises(ValueError, match=r"expected plain scene ids, got '\.\./b'"):
        read_list(tmp_path / 'list.txt')
    with pytest.raises(ValueError, match="there is no split 'valid'"):
        split_scenes('valid')
