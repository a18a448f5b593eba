import json

from folk_ros.cli import doctor
from folk_ros.cli.main import main


def broken():
    raise RuntimeError('it is\nbroken')


def test_one_wrong_thing_does_not_keep_the_others_from_being_checked(monkeypatch, capsys):
    monkeypatch.setattr(doctor, 'CHECKS', {'a': broken, 'b': doctor.check_python})
    assert main(['doctor', '--json']) == 1
    result = json.loads(capsys.readouterr().out)
    assert result['a'] == {'ok': False, 'what': 'it is broken'}
    assert result['b']['ok']


def test_all_well_is_exit_code_0(monkeypatch, capsys):
    monkeypatch.setattr(doctor, 'CHECKS', {'python': doctor.check_python})
    assert main(['doctor']) == 0
    assert 'ok' in capsys.readouterr().out


def test_torch_and_open_clip_are_found():
    assert 'device auto' in doctor.check_torch()
    assert doctor.check_open_clip()[0].isdigit()
