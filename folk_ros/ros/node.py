"""
The node `folk`: fused clouds in, named 3D instances out, questions answered at any time.

Callbacks are a few lines: a cloud goes into the mailbox of the worker (segmenter.py), a question
is answered from the last scene (answers.py). One file for rclpy and for the embedded runtime.
"""

from __future__ import annotations

import re
from typing import Any

from folk_ros.config import FolkConfig
from folk_ros.ros import runtime
from folk_ros.ros.answers import Answers
from folk_ros.ros.cloud_input import CloudInput, to_profile
from folk_ros.ros.conversions import to_poses
from folk_ros.ros.diagnostics import diagnostics
from folk_ros.ros.fusion import Fusion
from folk_ros.ros.log_bridge import bridge_logs
from folk_ros.ros.model import load_folk, Loader
from folk_ros.ros.outputs import Outputs
from folk_ros.ros.parameters import changed, declare_parameters, is_setting, to_ros
from folk_ros.ros.qos_matching import Choice
from folk_ros.ros.running import run
from folk_ros.ros.segmenter import Segmented, Segmenter
from folk_ros.ros.silence import (
    Complaints,
    doubts_about,
    no_scene,
    other_cloud_topics,
    why_silent,
)
from folk_ros.ros.steady import steady_clock
from folk_ros.ros.survival import survives
from folk_ros.structures import Match

NAME = 'folk'
STOP_S = 1.0  # how long the worker may take to end


class FolkNode(runtime.Node):
    """Subscribes, publishes and serves; everything else is in the files it imports."""

    def __init__(
        self, folk_loader: Loader = load_folk, defaults: FolkConfig | None = None, **options: Any
    ) -> None:
        super().__init__(NAME, automatically_declare_parameters_from_overrides=True, **options)
        bridge_logs(self.get_logger())
        self.config, self.problems = declare_parameters(self, defaults or FolkConfig())
        for problem in self.problems:
            self.get_logger().error(problem)
        self.fusion = Fusion(self.config.node.fixed_frame)
        self.segmenter = Segmenter(folk_loader, self.config, self.fusion, self.get_logger())
        self.outputs = Outputs(self)
        self.segmenter.on_scene = self._on_scene
        self.segmenter.on_reset = self.outputs.clear
        self.segmenter.on_idle = lambda: self.outputs.publish_cloud(self.segmenter.latest)
        self.inputs = self._subscribe_to_clouds()
        self._serve_questions()
        self._watch()
        self.segmenter.start()

    def _subscribe_to_clouds(self) -> list[CloudInput]:
        node, inputs = self.config.node, []
        for topic in dict.fromkeys(node.cloud_topics):
            try:
                inputs.append(CloudInput(self, topic, node.qos, self.segmenter.mailbox.put))
            except ValueError as error:
                self.problems.append(f'cloud_topics: {error}')
                self.get_logger().error(self.problems[-1])
        if len(inputs) > 1 or node.fixed_frame:
            self._listen_to_frames()
        return inputs

    def _listen_to_frames(self) -> None:
        group = runtime.MutuallyExclusiveCallbackGroup()
        for topic, latched in (('/tf', False), ('/tf_static', True)):
            self.create_subscription(
                runtime.message('tf2_msgs/msg/TFMessage'),
                topic,
                lambda message, static=latched: self._on_frames(message, static),
                to_profile(Choice(reliable=True, latched=latched, depth=100)),
                callback_group=group,
            )

    def _serve_questions(self) -> None:
        """Serve ~/query and ~/query_text in a group of their own: never behind a cloud."""
        group = runtime.MutuallyExclusiveCallbackGroup()
        self.answers = Answers(
            self.segmenter,
            lambda: no_scene(self.segmenter, self.inputs, self.config.node),
            self._remember,
            self.get_logger(),
        )
        self.create_service(
            runtime.service('folk_ros/srv/Query'),
            '~/query',
            lambda request, response: self.answers.fill(request, response, self.config),
            callback_group=group,
        )
        self.create_subscription(
            runtime.message('std_msgs/msg/String'),
            '~/query_text',
            self._on_query_text,
            10,
            callback_group=group,
        )
        self.add_on_set_parameters_callback(self._on_parameters)

    def _watch(self) -> None:
        """Look after inputs and tell the state, once a second of real time."""
        self._silence = Complaints(self.get_logger().warning, 'no new scene: ')
        self._doubts = Complaints(self.get_logger().warning)
        self._diagnostics = self.create_publisher(
            runtime.message('diagnostic_msgs/msg/DiagnosticArray'), '/diagnostics', 10
        )
        group = runtime.MutuallyExclusiveCallbackGroup()
        self.create_timer(1.0, self._on_second, callback_group=group, clock=steady_clock())

    @survives
    def _on_frames(self, message: Any, static: bool) -> None:
        for parent, child, pose in to_poses(message):
            self.fusion.transforms.insert(parent, child, pose, static=static)

    def _on_scene(self, segmented: Segmented) -> None:
        self.outputs.publish(segmented)
        self._show()

    @survives
    def _show(self) -> None:
        """Bring the markers up to date with the standing query and the newest scene."""
        self.outputs.show(lambda: self.segmenter.latest, self._standing_matches)

    def _standing_matches(self, segmented: Segmented) -> list[Match]:
        folk, node = self.segmenter.folk, self.config.node
        if folk is None or not node.publish_markers or not node.standing_query:
            return []
        return folk.query(list(node.standing_query), scene=segmented.scene)

    @survives
    def _on_query_text(self, message: Any) -> None:
        """Make texts, parted by ; or lines, the standing query; no text clears it."""
        texts = [text.strip() for text in re.split(r'[;\n]', message.data)]
        problem = self._remember([text for text in texts if text])
        if problem:
            self.get_logger().warning(f'~/query_text: {problem}; the standing query stays')

    def _remember(self, texts: list[str]) -> str:
        """Make texts the standing query; return what is wrong with them, or ''."""
        kind = runtime.Parameter.Type.STRING_ARRAY
        parameter = runtime.Parameter('standing_query', kind, to_ros(tuple(texts)))
        result = self.set_parameters([parameter])[0]
        return '' if result.successful else result.reason

    def _on_parameters(self, parameters: list[Any]) -> Any:
        result = runtime.message('rcl_interfaces/msg/SetParametersResult')(successful=True)
        ours = {p.name: p.value for p in parameters if is_setting(p.name)}
        try:
            config = changed(self.config, ours)
        except ValueError as error:
            result.successful, result.reason = False, str(error)
            return result
        shown = (self.config.node, self.config.query)
        self.config = config
        self.segmenter.configure(config)
        if shown != (config.node, config.query):
            self._show()
        return result

    @survives
    def _on_second(self) -> None:
        for source in self.inputs:
            source.check()
        if self.outputs.cloud_wanted(self.segmenter.latest):
            self.segmenter.mailbox.ring()
        reasons = why_silent(self.segmenter, self.inputs, self.config.node)
        hint = other_cloud_topics(self, self.inputs) if reasons else ''
        self._silence.tell([*reasons, hint] if hint else reasons)
        doubts = doubts_about(self, self.segmenter)
        self._doubts.tell(doubts)
        name = self.get_fully_qualified_name().lstrip('/')
        problems = [*self.problems, *doubts]
        message = diagnostics(name, self.segmenter, self.inputs, reasons, problems)
        message.header.stamp = self.get_clock().now().to_msg()
        self._diagnostics.publish(message)

    def stop(self) -> bool:
        """End the worker; whether it ended in time."""
        return self.segmenter.stop(STOP_S)


def main(args: list[str] | None = None, folk_loader: Loader = load_folk) -> None:
    """Run the node until SIGINT, SIGTERM or shutdown."""
    run(lambda: FolkNode(folk_loader), args)


if __name__ == '__main__':
    main()
