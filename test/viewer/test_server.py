import json
import threading
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import Request, urlopen

import pytest

from folk_ros.cli.demo_room import load_demo_room
from folk_ros.pipeline import Folk
from folk_ros.viewer.server import Viewer


@pytest.fixture(scope='module')
def viewer():
    folk, cloud = Folk.load(), load_demo_room().cloud
    folk.segment(cloud)
    with Viewer(folk, cloud, 'room') as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def get(viewer, path, **headers):
    with urlopen(Request(viewer.url + path, headers=headers), timeout=20) as reply:
        return reply.read(), reply.headers


def test_the_page_and_its_scripts_are_served(viewer):
    page, headers = get(viewer, '')
    assert b'page.js' in page and headers['Content-Type'].startswith('text/html')
    assert b'SceneView' in get(viewer, 'scene_view.js')[0]


def test_the_page_loads_nothing_from_elsewhere(viewer):
    for path in ('', 'page.js', 'scene_view.js'):
        body = get(viewer, path)[0]
        assert b'https://' not in body and b'http://' not in body
    assert "default-src 'none'" in get(viewer, '')[1]['Content-Security-Policy']


def test_a_question_is_answered_as_in_python(viewer):
    body = get(viewer, 'query?' + urlencode([('text', 'fridge'), ('text', 'cupboard')]))[0]
    matches = viewer.folk.query(['fridge', 'cupboard'], scene=viewer.scene)
    assert [(a['row'], a['text']) for a in json.loads(body)['answers']] == [
        (m.row, m.text) for m in matches
    ]


@pytest.mark.parametrize('query', ['query', 'query?text=', 'query?text=' + 'x' * 3000])
def test_a_bad_question_gets_a_sentence(viewer, query):
    with pytest.raises(HTTPError) as refused:
        get(viewer, query)
    assert refused.value.code == 400
    assert 'expected' in json.loads(refused.value.read())['problem']


def test_pages_of_other_hosts_get_nothing(viewer):
    with pytest.raises(HTTPError) as refused:
        get(viewer, 'scene', Host='attacker.example')
    assert refused.value.code == 403


def test_no_file_beside_the_page_is_served(viewer):
    for path in ('server.py', '../pipeline.py', '%2e%2e/pipeline.py'):
        with pytest.raises(HTTPError) as refused:
            get(viewer, path)
        assert refused.value.code == 404


def test_a_cloud_that_was_not_segmented_is_refused(viewer):
    with pytest.raises(RuntimeError, match='segment'):
        Viewer(viewer.folk, load_demo_room().cloud.select(slice(10)))
