"""The ways to ask the node: ~/query, ~/query_text, and the standing query, which may last."""

from __future__ import annotations

import re
from typing import Any

from folk_ros.ros import runtime
from folk_ros.ros.answers import Answers
from folk_ros.ros.parameters import to_ros
from folk_ros.ros.segmenter import Segmented
from folk_ros.ros.silence import no_scene
from folk_ros.ros.standing import StandingFile, state_folder
from folk_ros.ros.survival import survives


class Questions:
    """Serves questions in a callback group of their own: never behind a cloud."""

    def __init__(self, node: Any) -> None:
        self._node = node
        self.problem = ''  # with the file of the standing query
        self.answers = Answers(
            node.segmenter,
            lambda: no_scene(node.segmenter, node.inputs, node.config.node),
            self.remember,
            node.get_logger(),
            self._age_note,
        )
        group = runtime.MutuallyExclusiveCallbackGroup()
        node.create_service(
            runtime.service('folk_ros/srv/Query'),
            '~/query',
            lambda request, response: self.answers.fill(request, response, node.config),
            callback_group=group,
        )
        node.create_subscription(
            runtime.message('std_msgs/msg/String'),
            '~/query_text',
            self._on_text,
            10,
            callback_group=group,
        )
        self._given = node.config.node.standing_query  # by the parameters, before it was changed
        self._file: StandingFile | None = None
        if node.config.node.keep_standing_query:
            folder = state_folder(node.config.node.state_folder)
            self._file = StandingFile(folder, node.get_fully_qualified_name())

    def take_up(self) -> None:
        """Make what the last run kept the standing query, where that was asked for."""
        if self._file is None:
            return
        try:
            texts = self._file.read(self._given)
            problem = self.remember(texts) if texts is not None else ''
        except ValueError as error:
            problem = str(error)
        if problem:
            self._complain(problem)
        elif texts is not None:
            self._node.get_logger().info(
                f'the standing query of the last run is taken up: {", ".join(texts) or "none"}'
            )

    def keep(self) -> None:
        """Write the standing query down, where that was asked for."""
        if self._file is None:
            return
        try:
            self._file.write(self._node.config.node.standing_query, self._given)
            self.problem = ''
        except OSError as error:
            self._complain(f'{self._file.path}: the standing query cannot be kept ({error})')

    def remember(self, texts: list[str]) -> str:
        """Make texts the standing query; return what is wrong with them, or ''."""
        kind = runtime.Parameter.Type.STRING_ARRAY
        parameter = runtime.Parameter('standing_query', kind, to_ros(tuple(texts)))
        result = self._node.set_parameters([parameter])[0]
        return '' if result.successful else str(result.reason)

    def get_logger(self) -> Any:
        """Return the logger of the node, for faults in the callbacks."""
        return self._node.get_logger()

    def _complain(self, problem: str) -> None:
        self.problem = problem
        self._node.get_logger().warning(problem)

    @survives
    def _on_text(self, message: Any) -> None:
        """Make texts, parted by ; or lines, the standing query; no text clears it."""
        query = self._node.config.query
        longest = 2 * query.max_texts * (query.max_text_length + 1)
        if len(message.data) > longest:
            problem = f'expected at most {longest} characters, got {len(message.data)}'
        else:
            texts = [text.strip() for text in re.split(r'[;\n]', message.data)]
            problem = self.remember([text for text in texts if text])
        if problem:
            self.get_logger().warning(
                f'~/query_text: {problem}; the standing query stays', throttle_duration_sec=1.0
            )

    def _age_note(self, segmented: Segmented) -> str:
        """Say how old the scene is, if it is older than it should be."""
        node, limit = self._node, self._node.config.node.max_age
        if segmented.arrival is None:
            return ' (loaded from a file)'
        age = node.timekeeper.age_s(segmented.arrival)
        if not 0 < limit < age or any(source.may_rest for source in node.inputs):
            return ''
        return f'; the cloud is {age:.0f} s old, expected at most {limit:g} s (max_age)'
