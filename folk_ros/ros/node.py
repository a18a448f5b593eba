"""
The node `folk`: fused clouds in, named 3D instances out, questions answered at any time.

Callbacks are a few lines: a cloud goes into the mailbox of the worker (segmenter.py), a question
is answered from the last scene (answers.py). One file for rclpy and for the embedded runtime.
"""

from __future__ import annotations

from typing import Any

from folk_ros.config import FolkConfig
from folk_ros.ros import runtime
from folk_ros.ros.cloud_input import CloudInput, to_profile
from folk_ros.ros.conversions import stamp_ns
from folk_ros.ros.diagnostics import diagnostics
from folk_ros.ros.frames import make_frames
from folk_ros.ros.gathering import Gathering, Letter
from folk_ros.ros.log_bridge import bridge_logs
from folk_ros.ros.model import load_folk, Loader, Model
from folk_ros.ros.outputs import Outputs
from folk_ros.ros.parameters import changed, declare_parameters, is_setting
from folk_ros.ros.placing import OPTICAL, Placing
from folk_ros.ros.qos_matching import NAMED
from folk_ros.ros.questions import Questions
from folk_ros.ros.running import run
from folk_ros.ros.scene_services import SceneServices
from folk_ros.ros.segmenter import Segmented, Segmenter
from folk_ros.ros.silence import (
    clocks_apart,
    Complaints,
    doubts_about,
    GRACE_S,
    other_cloud_topics,
    why_silent,
)
from folk_ros.ros.steady import steady_clock
from folk_ros.ros.survival import survives
from folk_ros.ros.timekeeping import Timekeeper
from folk_ros.structures import Match

NAME = 'folk'
STOP_S = 0.3  # how long the worker may take to end; in the network it cannot


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
        self.timekeeper = Timekeeper(self.get_clock())
        self.frames = make_frames(self)
        self._gathering = Gathering(Placing(self.frames), self.get_logger())
        self.segmenter = Segmenter(folk_loader, self.config, self._gathering, self.get_logger())
        self.outputs = Outputs(self)
        self._ready = self._make_ready()
        self.segmenter.on_model = self._on_model
        self.segmenter.on_scene = self._on_scene
        self.segmenter.on_reset = self.outputs.clear
        self.segmenter.on_idle = lambda: self.outputs.publish_cloud(self.segmenter.latest)
        self.inputs = self._subscribe_to_clouds()
        self.questions = Questions(self)
        SceneServices(self)
        self.add_on_set_parameters_callback(self._on_parameters)
        self.questions.take_up()
        self._watch()
        self.segmenter.start()

    def _make_ready(self) -> Any:
        """Announce ~/ready: false until the model is loaded and warm."""
        kind = runtime.message('std_msgs/msg/Bool')
        publisher = self.create_publisher(kind, '~/ready', to_profile(NAMED['latched']))
        publisher.publish(kind(data=False))
        return publisher

    def _subscribe_to_clouds(self) -> list[CloudInput]:
        node, inputs = self.config.node, []
        for topic in dict.fromkeys(node.cloud_topics):
            qos = self.config.source(topic).qos or node.qos
            try:
                made = CloudInput(self, topic, qos, self._on_cloud)
            except ValueError as error:
                self.problems.append(f'cloud_topics: {error}')
                self.get_logger().error(self.problems[-1])
                continue
            self._gathering.configured[made.topic] = topic
            inputs.append(made)
        if len(inputs) > 1 or node.fixed_frame or node.inference_frame:
            self.frames.listen()
        return inputs

    def _watch(self) -> None:
        """Look after inputs and tell the state, once a second of real time."""
        self._silence = Complaints(self.get_logger().warning, 'no new scene: ')
        self._doubts = Complaints(self.get_logger().warning)
        self._diagnostics = self.create_publisher(
            runtime.message('diagnostic_msgs/msg/DiagnosticArray'), '/diagnostics', 10
        )
        group = runtime.MutuallyExclusiveCallbackGroup()
        self.create_timer(1.0, self._on_second, callback_group=group, clock=steady_clock())

    def _on_cloud(self, source: CloudInput, message: Any) -> None:
        if message.header.frame_id.endswith(OPTICAL):
            self.frames.listen()
        self._look_at_the_clock()
        source.arrival = self.timekeeper.arrived(stamp_ns(message.header.stamp))
        self.segmenter.mailbox.put(source.topic, Letter(message, source.arrival))

    def _look_at_the_clock(self) -> None:
        back = self.timekeeper.set_back_s()
        if back:
            now = int(self.get_clock().now().nanoseconds)
            self.segmenter.start_anew(f'the time was set back by {back:.1f} s', now)

    def _on_model(self, model: Model) -> None:
        self.outputs.warm_up()
        kind = runtime.message('std_msgs/msg/Bool')
        self._ready.publish(kind(data=model.state == 'ready'))

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

    def _on_parameters(self, parameters: list[Any]) -> Any:
        result = runtime.message('rcl_interfaces/msg/SetParametersResult')(successful=True)
        ours = {p.name: p.value for p in parameters if is_setting(p.name)}
        try:
            config = changed(self.config, ours)
        except ValueError as error:
            result.successful, result.reason = False, str(error)
            return result
        if config == self.config and self.segmenter.folk is not None:  # else it tries to load
            return result
        shown = (self.config.node, self.config.query)
        self.config = config
        self.segmenter.configure(config)
        if shown != (config.node, config.query):
            self._show()
        if shown[0].standing_query != config.node.standing_query:
            self.questions.keep()
        return result

    @survives
    def _on_second(self) -> None:
        for source in self.inputs:
            source.check()
        self._look_at_the_clock()
        if self.outputs.cloud_wanted(self.segmenter.latest):
            self.segmenter.mailbox.ring()
        reasons = why_silent(self.segmenter, self.inputs, self.config.node)
        hint = other_cloud_topics(self, self.inputs) if reasons else ''
        loading = self.segmenter.model.state == 'loading'  # is no reason to worry, for a while
        grace_s = max(GRACE_S, self.config.node.warn_after) if loading else GRACE_S
        self._silence.tell([*reasons, hint] if hint else reasons, grace_s)
        doubts = [*doubts_about(self, self.segmenter), *clocks_apart(self.inputs)]
        self._doubts.tell(doubts)
        name = self.get_fully_qualified_name().lstrip('/')
        problems = [*self.problems, *filter(None, [self.questions.problem]), *doubts]
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
