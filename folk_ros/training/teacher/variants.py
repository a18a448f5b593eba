"""The teacher without each of its steps, and with other values of what the paper leaves open."""

from __future__ import annotations

from dataclasses import dataclass, replace

from folk_ros.training.evaluate.embedded_masks import Fusion
from folk_ros.training.teacher.crops import CropConfig
from folk_ros.training.teacher.mask_completion import CompletionConfig
from folk_ros.training.teacher.teacher import TeacherConfig

EVERY_VIEW = 40  # more than generated rooms have
# masks as the projected points leave them, and after the first of the two steps
COMPLETIONS = {
    'none': CompletionConfig(coarse_steps=0, guided_steps=0),
    'coarse': CompletionConfig(guided_steps=0),
    'full': CompletionConfig(),
}
OPEN_MASK3D = TeacherConfig(pooling='crops', views=5, min_angle_deg=0.0, depth_tolerance_m=0.2)


@dataclass(frozen=True)
class Variant:
    """A way to look at instances, and how their views are fused."""

    config: TeacherConfig
    fusion: Fusion = 'visibility'


def variants() -> dict[str, Variant]:
    """Return the teacher as in the paper, then one change of it each."""
    paper = TeacherConfig()
    changes = {
        'the most visible view alone': replace(paper, views=1),
        '3 views at most': replace(paper, views=3),
        '12 views at most': replace(paper, views=12),
        'every view that sees it': replace(paper, views=EVERY_VIEW, min_angle_deg=0.0),
        'similar views kept': replace(paper, min_angle_deg=0.0),
        'views 20 degrees apart': replace(paper, min_angle_deg=20.0),
        'views 45 degrees apart': replace(paper, min_angle_deg=45.0),
        'seen within 0.2 m': replace(paper, depth_tolerance_m=0.2),
        'points alone, no completion': replace(paper, completion=COMPLETIONS['none']),
        'coarse expansion alone': replace(paper, completion=COMPLETIONS['coarse']),
        'crops of 3 sizes': replace(paper, pooling='crops'),
        'the tight crop alone': replace(paper, pooling='crops', crops=CropConfig(levels=1)),
    }
    rows = {f'teacher, {what}': Variant(own) for what, own in changes.items()}
    return {
        'teacher': Variant(paper),
        'teacher, views fused evenly': Variant(paper, 'evenly'),
        **rows,
        'OpenMask3D': Variant(OPEN_MASK3D, 'evenly'),
    }
