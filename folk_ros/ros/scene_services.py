"""
~/save and ~/load: the scene in a file, by std_srvs/Trigger and the parameter scene_file.

    ros2 param set /folk scene_file kitchen.safetensors
    ros2 service call /folk/save std_srvs/srv/Trigger

Files lie in scene_folder alone, which only the node's own user names: a peer on the network
chooses a file in it, nothing else.
"""

from __future__ import annotations

from importlib import import_module
import os
from pathlib import Path
import re
import traceback
from typing import Any

from folk_ros.ros import runtime
from folk_ros.ros.segmenter import Segmented

NAME = re.compile(r'[A-Za-z0-9_][A-Za-z0-9_.\-]{0,127}')  # no folder, nothing hidden
MAX_BYTES = 4_000_000_000


def file_in(folder: str, name: str) -> Path:
    """
    Return a file below a folder; raises ValueError unless it lies there and nowhere else.

    Links are not followed out of the folder, be it the file or what leads to it.
    """
    if not folder:
        raise ValueError('scene_folder is not set: start the node with it to save and load scenes')
    parts = name.split('/')
    if not all(NAME.fullmatch(part) for part in parts):
        raise ValueError(
            f'scene_file: expected a name like kitchen.safetensors or office/a.safetensors, got '
            f'{name!r}; letters, digits, _ . and - alone, no part beginning with a dot'
        )
    root = Path(folder).expanduser()
    if not root.is_dir():
        raise ValueError(f'scene_folder {root}: there is no such folder; make it')
    path = root.joinpath(*parts)
    inside = os.path.realpath(path)
    if path.is_symlink() or not Path(inside).is_relative_to(os.path.realpath(root)):
        raise ValueError(f'scene_file {name!r}: leads out of scene_folder by a link')
    return path


class SceneServices:
    """Serves ~/save and ~/load in a group of their own: files may be slow."""

    def __init__(self, node: Any) -> None:
        self._node = node
        group = runtime.MutuallyExclusiveCallbackGroup()
        kind = runtime.service('std_srvs/srv/Trigger')
        for name, do in (('~/save', self._save), ('~/load', self._load)):
            node.create_service(kind, name, self._answering(do), callback_group=group)

    def _answering(self, do: Any) -> Any:
        """Make a service callback that answers with a sentence whatever happens."""

        def answer(_request: Any, response: Any) -> Any:
            try:
                response.message = do()
                response.success = True
            except (ValueError, OSError, RuntimeError, ImportError) as error:
                response.message = str(error)
            except Exception as error:  # noqa: BLE001 - the node lives on
                self._node.get_logger().error(traceback.format_exc())
                response.message = f'{type(error).__name__}: {error}'
            return response

        return answer

    def _path(self) -> Path:
        node = self._node.config.node
        return file_in(node.scene_folder, node.scene_file)

    def _save(self) -> str:
        path, segmented = self._path(), self._node.segmenter.latest
        if segmented is None:
            raise ValueError('there is no scene to save yet')
        path.parent.mkdir(parents=True, exist_ok=True)
        stored = import_module('folk_ros.scene_files')
        folk = self._node.segmenter.folk
        clip, last_id = folk.student.config.clip, folk.memory.last_id
        saved = stored.SavedScene(
            *(segmented.scene, segmented.cloud, clip, last_id),
            answer_frame=segmented.frame_id if segmented.T_answer_scene is not None else '',
            T_answer_scene=segmented.T_answer_scene,
        )
        stored.save_scene(path, saved)
        return f'{path}: saved scene {segmented.scene.scene_id}, {len(segmented.scene)} instances'

    def _load(self) -> str:
        path = self._path()
        if not path.is_file():
            raise ValueError(f'{path}: there is no such file')
        if path.stat().st_size > MAX_BYTES:
            raise ValueError(f'{path}: is larger than {MAX_BYTES // 10**9} GB')
        stored = import_module('folk_ros.scene_files').load_scene(path)
        scene, cloud = stored.instances, stored.cloud
        segmented = Segmented(scene, cloud, [], stored.answer_frame, stored.T_answer_scene)
        self._node.segmenter.adopt(segmented, stored.clip, stored.last_id)
        return f'{path}: loaded {len(scene)} instances in {stored.frame_id!r}'
