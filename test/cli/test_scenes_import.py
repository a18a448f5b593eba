"""`folk scenes import`: good scenes come in, bad ones are named, nothing is written twice."""

import json

import numpy as np
from PIL import Image
import pytest

from folk_ros.cli.main import main
from folk_ros.cloud_files import write_ply
from folk_ros.structures import PointCloud
from folk_ros.training.evaluate.benchmark_files import read_truth
from folk_ros.training.scenes.scene import load_scene

SCANS = ('scene9000_00', 'scene9000_01', 'scene9000_02')
CAMERA = '30 0 7.5 0 0 30 5.5 0 0 0 1 0 0 0 0 1'
POSE = '1 0 0 0 0 1 0 0 0 0 1 1.2 0 0 0 1'


def write_scan(root, scan):
    """Write twelve vertices, a chair and a wall, and one frame."""
    folder = root / 'scans' / scan
    for name in ('color', 'depth', 'pose', 'intrinsic'):
        (folder / name).mkdir(parents=True)
    xyz = np.arange(36, dtype=np.float32).reshape(12, 3)
    write_ply(PointCloud(xyz, np.zeros((12, 3), np.uint8)), folder / f'{scan}_vh_clean_2.ply')
    segs = {'segIndices': [3] * 4 + [8] * 4 + [11] * 4}
    (folder / f'{scan}_vh_clean_2.0.010000.segs.json').write_text(json.dumps(segs))
    groups = [{'id': 0, 'label': 'chair', 'segments': [8]}, {'id': 1, 'label': 'wall'}]
    groups[1]['segments'] = [3]
    (folder / f'{scan}.aggregation.json').write_text(json.dumps({'segGroups': groups}))
    (folder / f'{scan}.txt').write_text('sceneType = Office\n')
    for kind in ('depth', 'color'):
        (folder / 'intrinsic' / f'intrinsic_{kind}.txt').write_text(CAMERA)
    for number in (0, 5, 10):
        (folder / 'pose' / f'{number}.txt').write_text(POSE)
        Image.new('RGB', (16, 12), (1, 2, 3)).save(folder / 'color' / f'{number}.jpg')
        Image.fromarray(np.full((12, 16), 900, np.uint16)).save(folder / f'depth/{number}.png')
    return folder


@pytest.fixture
def root(tmp_path):
    for scan in SCANS:
        write_scan(tmp_path, scan)
    (tmp_path / 'scannetv2-labels.combined.tsv').write_text(
        'id\traw_category\n2\tchair\n1\twall\n'
    )
    (tmp_path / 'list.txt').write_text('\n'.join(SCANS) + '\n')
    return tmp_path


def run(root, *more):
    return main(
        [
            *('scenes', 'import', 'scannet200', str(root), '--list', str(root / 'list.txt')),
            *('--out', str(root / 'scenes'), '--json', str(root / 'report.json'), *more),
        ]
    )


def report(root):
    return json.loads((root / 'report.json').read_text())


def test_scans_become_scenes_and_are_skipped_the_next_time(root, capsys):
    assert run(root, '--every', '5') == 0
    got = report(root)
    assert (got['scenes'], got['imported'], got['already_there'], got['failed']) == (3, 3, 0, 0)
    assert (got['points'], got['objects'], got['views'], got['errors']) == (36, 3, 9, {})
    assert 'imported' in capsys.readouterr().out
    scene = load_scene(root / 'scenes' / SCANS[1])
    assert scene.truth.names == ['chair'] and scene.views[2].depth[0, 0] == np.float32(0.9)
    written = (root / 'scenes' / SCANS[1] / 'cloud.npz').stat().st_mtime_ns
    assert run(root) == 0
    assert (report(root)['imported'], report(root)['already_there']) == (0, 3)
    assert (root / 'scenes' / SCANS[1] / 'cloud.npz').stat().st_mtime_ns == written


def test_a_bad_scan_is_named_and_the_others_come_in(root, capsys):
    bad = root / 'scans' / SCANS[1] / f'{SCANS[1]}_vh_clean_2.ply'
    whole = bad.read_bytes()
    bad.write_bytes(whole[:-20])
    assert run(root) == 1
    got = report(root)
    assert (got['imported'], got['failed'], list(got['errors'])) == (2, 1, [SCANS[1]])
    said = capsys.readouterr().err
    assert f'{bad}: ' in said and '1 of 3 scenes could not be imported' in said
    assert sorted(path.name for path in (root / 'scenes').iterdir()) == [SCANS[0], SCANS[2]]
    bad.write_bytes(whole)
    assert run(root) == 0
    assert (report(root)['imported'], report(root)['already_there']) == (1, 2)


def test_ground_truth_files_are_written_beside(root):
    assert run(root) == 0
    assert run(root, '--truth', str(root / 'truth')) == 0  # also for scenes already there
    ids = read_truth(root / 'truth' / f'{SCANS[2]}.txt')
    assert ids.tolist() == [0] * 4 + [2001] * 4 + [0] * 4


def test_copied_images_do_not_need_the_dataset(root):
    assert run(root, '--copy') == 0
    for path in (root / 'scans').rglob('*.jpg'):
        path.unlink()
    assert len([view.rgb for view in load_scene(root / 'scenes' / SCANS[0]).views]) == 2


def test_scenes_are_not_written_into_the_dataset(root, capsys):
    arguments = ['scenes', 'import', 'scannet200', str(root), '--list', str(root / 'list.txt')]
    assert main([*arguments, '--out', str(root / 'scans')]) == 1
    assert 'is there already and is no scene' in capsys.readouterr().err
    assert (root / 'scans' / SCANS[0] / f'{SCANS[0]}.aggregation.json').is_file()


def test_wrong_arguments_are_said_at_once(root, capsys):
    assert run(root, '--every', '0') == 2
    assert '--every: expected 1 or more, got 0' in capsys.readouterr().err
    (root / 'scannetv2-labels.combined.tsv').unlink()
    assert run(root) == 2
    assert 'scannetv2-labels.combined.tsv: cannot be read' in capsys.readouterr().err


def test_replica_is_imported_too(tmp_path):
    cloud = PointCloud(np.zeros((3, 3), np.float32), np.zeros((3, 3), np.uint8))
    write_ply(cloud, tmp_path / 'office1_mesh.ply')
    (tmp_path / 'ground_truth').mkdir()
    (tmp_path / 'ground_truth' / 'office1.txt').write_text('0\n20001\n93001\n')
    arguments = ['scenes', 'import', 'replica', str(tmp_path), '--out', str(tmp_path / 'scenes')]
    assert main([*arguments, '--truth', str(tmp_path / 'truth')]) == 1  # the other seven
    assert load_scene(tmp_path / 'scenes' / 'office1').truth.names == ['chair']
    assert (tmp_path / 'truth' / 'office1.txt').read_text() == '0\n20001\n0\n'
