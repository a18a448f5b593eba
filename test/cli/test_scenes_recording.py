import json

from bag_support import Recipe, write_bag
from pcd_support import table_scan, write_pcd

from folk_ros.cli.main import main
from folk_ros.training.scenes.scene import load_scene


def test_a_recording_becomes_a_scene_named_after_it(tmp_path, capsys):
    bag = write_bag(tmp_path / 'office', Recipe(seconds=3.0))
    out = ['--out', str(tmp_path / 'out')]
    assert main(['scenes', 'import', 'recording', str(bag), *out]) == 0
    scene = load_scene(tmp_path / 'out' / 'office')
    assert scene.facts['cloud'] == '/cloud_map'
    assert f'views                {len(scene.views):>8}' in capsys.readouterr().out
    said = ['--id', 'far', '--cloud', 'none', '--distance', '2', '--angle', '90', '--cell', '0.1']
    assert main(['scenes', 'import', 'recording', str(bag), *out, *said]) == 0
    far = load_scene(tmp_path / 'out' / 'far')
    assert len(far.views) == 1 < len(scene.views)
    assert far.facts['cloud'] == 'fused from 1 views in a TSDF of 0.1 m'


def test_a_recording_without_transforms_fails_with_its_name(tmp_path, capsys):
    bag = write_bag(tmp_path / 'office', Recipe(seconds=1.0, without=('/tf',)))
    figures = tmp_path / 'figures.json'
    command = ['scenes', 'import', 'recording', str(bag), '--out', str(tmp_path / 'out')]
    assert main([*command, '--json', str(figures)]) == 1
    assert 'office: expected transforms on /tf and /tf_static' in capsys.readouterr().err
    stored = json.loads(figures.read_text())
    assert (stored['failed'], stored['imported']) == (1, 0)
    assert not (tmp_path / 'out' / 'office').exists()


def test_one_damaged_scan_does_not_keep_the_others_from_coming(tmp_path, capsys):
    scans, out = tmp_path / 'scans', tmp_path / 'out'
    scans.mkdir()
    for name in ('learn1', 'learn2', 'learn10'):
        write_pcd(scans / f'{name}.pcd', table_scan())
    whole = (scans / 'learn2.pcd').read_bytes()
    (scans / 'learn2.pcd').write_bytes(whole[:-100])
    assert main(['scenes', 'import', 'osd', str(scans), '--out', str(out), '--parts']) == 1
    assert 'learn2.pcd: ' in capsys.readouterr().err
    assert sorted(path.name for path in out.iterdir()) == ['learn1', 'learn10']
    scene = load_scene(out / 'learn10')
    assert len(scene.truth.names) == 3
    assert scene.facts['parts'] is True
