"""Questions that cannot be answered get a sentence: what is raised here would end the node."""

from types import SimpleNamespace

import numpy as np
import pytest

from folk_ros.config import FolkConfig
from folk_ros.ros import runtime
from folk_ros.ros.answers import Answers
from folk_ros.ros.segmenter import Segmented
from folk_ros.structures import Instances, PointCloud


@pytest.mark.parametrize('remember', [True, False])
def test_a_scene_whose_time_no_message_can_hold_is_a_sentence(remember):
    cloud = PointCloud(np.zeros((1, 3), np.float32), None, 'map', 2**31 * 10**9)
    scene = Instances.empty(4, cloud)
    segmenter = SimpleNamespace(latest=Segmented(scene, cloud, []), folk=None, model='loading')
    log = SimpleNamespace(error=lambda text: None)
    answers = Answers(segmenter, lambda: 'silent', lambda texts: '', log)
    kind = runtime.service('folk_ros/srv/Query')
    request = kind.Request(texts=[] if remember else ['chair'], remember=remember)
    response = answers.fill(request, kind.Response(), FolkConfig())
    assert not response.success
    assert '2147483648' in response.message
