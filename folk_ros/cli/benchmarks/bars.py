"""The bars that the figures of `folk benchmark` are held against."""

from __future__ import annotations

from dataclasses import dataclass

from folk_ros.cli.output import table


@dataclass(frozen=True)
class Bar:
    """A limit for one figure, by its key; at most so much, or at least."""

    key: str
    meaning: str
    limit: float
    at_least: bool = False

    def met(self, value: float) -> bool:
        """Say whether a figure clears the bar; what is no number does not."""
        return value >= self.limit if self.at_least else value <= self.limit


BARS = (
    Bar('demo_s', 'folk demo, seconds', 60.0),
    Bar('demo_named_right_share', 'demo objects found with the right best name', 0.8, True),
    Bar('decode_1m_ms', 'decode 1 M points, ms', 60.0),
    Bar('extra_memory_ratio', 'extra memory while decoding, times the result', 3.0),
    Bar('query_known_ms', '/folk/query over DDS, known text, ms', 5.0),
    Bar('query_new_ms', '/folk/query over DDS, new text, ms', 150.0),
    Bar('query_known_busy_ratio', 'known text while segmenting, times idle', 2.0),
    Bar('query_new_busy_ratio', 'new text while segmenting, times idle', 2.0),
    Bar('transport_decode_100k_ms', 'transport and decode of 100,000 points, ms', 25.0),
    Bar('memory_growth_percent', 'memory of the node, cloud 20 to 200, percent', 2.0),
    Bar('scenes_rooms_per_minute', 'synthetic rooms a minute, 2 processes', 6.0, True),
    Bar('scans_student_ap50', 'real table scans, AP50 of the masks', 0.77, True),
    Bar('scans_student_recall_75_split', 'recall at IoU 0.75 of things seen split', 0.35, True),
    Bar('segment_room_s', 'a room of 100,000 points on 2 threads, s', 1.0),
    Bar('segment_room_added_mb', 'memory that takes, MB', 1000.0),
    Bar('segment_building_added_mb', 'memory for 5 M points, in tiles, MB', 1000.0),
    Bar('warmup_cloud_ratio', 'first cloud of a node just started, times the tenth', 1.25),
    Bar('warmup_question_ratio', 'its first question, times the tenth', 1.25),
    Bar('import_folk_ros_ms', 'import folk_ros, ms', 50.0),
    Bar('evaluate_312_scenes_s', 'score 312 scenes of 150,000 points, 600 masks each, s', 240.0),
    Bar('evaluate_memory_gb', 'memory while scoring them, GB', 4.0),
    Bar('evaluate_speedup', 'scoring, times faster than pair by pair', 20.0, True),
    Bar('engines_cpu_minkowski_over_torch', 'MinkowskiEngine on a CPU, times torch', 1.7, True),
    Bar('engines_cpu_over_products', 'torch engine on a CPU, times its products alone', 1.3),
    Bar('engines_fp64_digits', 'digits on which all engines agree in float64', 12.0, True),
    Bar('engines_cuda_forward_ms', 'Res16UNet34C on CUDA, 100,000 voxels, bfloat16, ms', 15.0),
    Bar('engines_cuda_spconv_over_torch', 'spconv on CUDA (float16), times torch', 1.5, True),
    Bar('identity_student_switch_percent', 'ids that switch, masks of the student, percent', 2.0),
    Bar('identity_student_lingered_clouds', 'clouds that what is seen gone stays, student', 2.0),
    Bar('identity_truth_switch_percent', 'ids that switch, true masks, percent', 2.0),
    Bar('identity_truth_lingered_clouds', 'clouds that what is seen gone stays, true masks', 2.0),
    Bar('incremental_speedup', 'map of 1 M points, 5 % changed, times faster', 5.0, True),
    Bar('incremental_kept_share', 'objects outside, share kept (IoU 0.95)', 1.0, True),
    Bar('incremental_same_as_scratch_share', 'the same, beside a map done anew', 0.95, True),
    Bar('teacher_crops_over_student', 'student, times faster than crops with ViT-L', 152, True),
    Bar('teacher_mask_over_student', 'student, times faster than mask pooling', 6, True),
)


def missed(figures: dict[str, float]) -> list[Bar]:
    """Return the bars that the figures at hand do not clear."""
    return [bar for bar in BARS if bar.key in figures and not bar.met(figures[bar.key])]


def report(figures: dict[str, float]) -> str:
    """Lay the figures out: those with a bar first, with the verdict, then all others."""
    judged = [
        (
            bar.meaning,
            f'{figures[bar.key]:.2f}',
            f'{">=" if bar.at_least else "<="} {bar.limit:g}',
            'pass' if bar.met(figures[bar.key]) else 'FAIL',
        )
        for bar in BARS
        if bar.key in figures
    ]
    known = {bar.key for bar in BARS}
    others = [(key, f'{value:.3f}', '', '') for key, value in figures.items() if key not in known]
    return table(('figure', 'measured', 'bar', ''), [*judged, *others])
