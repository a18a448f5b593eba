"""The state of the node as diagnostic_msgs/DiagnosticArray, for rqt_robot_monitor and others."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
import sys
from typing import Any

from folk_ros.ros import runtime
from folk_ros.ros.cloud_input import CloudInput
from folk_ros.ros.segmenter import Segmenter

MIB = 1 << 20


def diagnostics(
    name: str,
    segmenter: Segmenter,
    inputs: Sequence[CloudInput],
    reasons: Sequence[str],
    problems: Sequence[str],
) -> Any:
    """
    Describe the node called `name`: its work, its model, and every cloud topic.

    `reasons` say why it is silent, `problems` what was wrong with its settings.
    """
    message = runtime.message('diagnostic_msgs/msg/DiagnosticArray')()
    message.status = [
        _segmentation(name, segmenter, inputs, reasons),
        _model(name, segmenter, problems),
        *(_source(name, source, segmenter, reasons) for source in inputs),
    ]
    return message


def _status(name: str, level: str, text: str, values: dict[str, Any]) -> Any:
    cls = runtime.message('diagnostic_msgs/msg/DiagnosticStatus')
    pair = runtime.message('diagnostic_msgs/msg/KeyValue')
    return cls(
        level=getattr(cls, level),
        name=name,
        message=text,
        hardware_id='',
        values=[pair(key=key, value=str(value)) for key, value in values.items()],
    )


def _segmentation(
    name: str, segmenter: Segmenter, inputs: Sequence[CloudInput], reasons: Sequence[str]
) -> Any:
    run, latest = segmenter.last_run, segmenter.latest
    warnings = segmenter.folk.warnings if segmenter.folk else ()  # about the last cloud
    values: dict[str, Any] = {
        'clouds received': sum(source.received for source in inputs),
        'clouds segmented': segmenter.count,
        'clouds dropped': sum(segmenter.mailbox.dropped(source.topic) for source in inputs),
        'clouds refused': sum(refusal.count for refusal in segmenter.refusals.values()),
        'scene id': latest.scene.scene_id if latest else 'none',
        'why silent': '; '.join(reasons) or 'not silent',
        'warnings': '; '.join(warnings) or 'none',
    }
    if run is not None:
        values |= {f'{stage} ms': f'{ms:.1f}' for stage, ms in run.milliseconds.items()}
        values |= {
            'points': run.points,
            'instances': run.instances,
            'colour': 'present' if run.has_colour else 'absent: names are less sure',
        }
    level = 'ERROR' if segmenter.failure else 'WARN' if reasons or warnings else 'OK'
    text = segmenter.failure or next(iter((*reasons, *warnings)), 'segmenting')
    return _status(f'{name}: segmentation', level, text, values)


def _model(name: str, segmenter: Segmenter, problems: Sequence[str]) -> Any:
    model, folk = segmenter.model, segmenter.folk
    values: dict[str, Any] = {'state': model.state, 'runtime': runtime.name}
    if folk is not None:
        values |= {
            'device': folk.device,
            'engine': folk.student.engine_name,
            'model': folk.config.node.model or 'the shipped one',
            'clip': folk.student.config.clip,
            'vocabulary': f'{len(folk.vocabulary.labels)} names',
            'standing query': '; '.join(folk.config.node.standing_query) or 'none',
        } | gpu_memory(str(folk.device))
    values |= {f'setting {n}': problem for n, problem in enumerate(problems, 1)}
    level = {'loading': 'WARN', 'ready': 'OK', 'failed': 'ERROR'}[model.state]
    text = str(model)
    if problems and level == 'OK':
        level, text = 'WARN', problems[0]
    return _status(f'{name}: model', level, text, values)


def _source(name: str, source: CloudInput, segmenter: Segmenter, reasons: Sequence[str]) -> Any:
    age, refusal = source.age(), segmenter.refusals.get(source.topic)
    values = {
        'publishers': len(source.offers),
        'offered': ', '.join(f'{offer.node}: {offer}' for offer in source.offers) or 'nothing',
        'subscribed': source.choice,
        'received': source.received,
        'dropped': segmenter.mailbox.dropped(source.topic),
        'refused': refusal.count if refusal else 0,
        'last refusal': refusal.reason if refusal else 'none',
        'age of the last cloud s': f'{age:.1f}' if age is not None else 'none came',
    }
    complaint = next((reason for reason in reasons if reason.startswith(source.topic)), '')
    return _status(
        f'{name}: {source.topic}', 'WARN' if complaint else 'OK', complaint or 'receiving', values
    )


@dataclass(frozen=True)
class GpuMemory:
    """What torch holds on a GPU, bytes."""

    allocated: int
    reserved: int  # as nvidia-smi sees it: what was freed is kept for later tensors
    peak: int  # the most that was allocated at once


def read_gpu_memory(device: str) -> GpuMemory:
    """Ask torch, which is loaded where a model is, for what it holds on a CUDA device."""
    cuda = sys.modules['torch'].cuda
    return GpuMemory(
        cuda.memory_allocated(device),
        cuda.memory_reserved(device),
        cuda.max_memory_allocated(device),
    )


def gpu_memory(device: str, read: Callable[[str], GpuMemory] = read_gpu_memory) -> dict[str, str]:
    """
    Return what torch holds on the device of the model, MiB; empty unless that is a GPU.

    From one cloud to the next that is the weights, what engines made of them, and what torch
    reserves: a scene is numpy arrays on the CPU (pipeline.Folk), and a prediction is gone with the
    call that made it. A reset of the scene gives back what is reserved beyond the weights.
    """
    if not device.startswith('cuda'):
        return {}
    held = read(device)
    return {
        'GPU memory allocated MiB': f'{held.allocated / MIB:.0f}',
        'GPU memory reserved MiB': f'{held.reserved / MIB:.0f}',
        'GPU memory peak MiB': f'{held.peak / MIB:.0f}',
    }
