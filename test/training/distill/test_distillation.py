import torch
from torch.nn import functional as F

from folk_ros.student.student import Student, StudentConfig
from folk_ros.training.distill.features import AdapterData
from folk_ros.training.distill.losses import distillation_loss
from folk_ros.training.distill.trainer import distil, Distillation

SMALL = StudentConfig(encoder=(8, 8, 8), decoder=(8, 8), decoder_reads=(1,), embedding_dim=6)


def clusters(per_class=30):
    """Three kinds of objects with clearly different features."""
    torch.manual_seed(0)
    channels = Student(SMALL).adapter.norm.num_features
    centres, text = torch.randn(3, channels) * 2, F.normalize(torch.randn(3, 6), dim=1)
    label = torch.arange(3).repeat(per_class)
    pooled = centres[label] + torch.randn(len(label), channels) * 0.3
    teacher = F.normalize(text[label] + torch.randn(len(label), 6) * 0.1, dim=1)
    return AdapterData(pooled, teacher, label, torch.arange(len(label))), text


def test_a_distilled_adapter_names_objects_like_its_teacher():
    data, text = clusters()
    student = Student(SMALL)
    before = {k: v.clone() for k, v in student.backbone.state_dict().items()}
    distil(student, data, text, Distillation(steps=150, batch=32))
    named = (student.adapter(data.pooled) @ text.t()).argmax(1)
    assert (named == data.label).float().mean() > 0.95
    assert all(torch.equal(before[k], v) for k, v in student.backbone.state_dict().items())


def test_instances_of_one_label_are_no_negatives_of_each_other():
    text = torch.eye(2)
    pair = torch.eye(2)[[0, 0]]
    different = distillation_loss(pair, pair, text, torch.tensor([0, 1]), 0.1)
    same = distillation_loss(pair, pair, text, torch.tensor([0, 0]), 0.1)
    assert same['contrastive'] < 1e-6 < different['contrastive']


def test_the_loss_is_smallest_where_student_and_teacher_agree():
    torch.manual_seed(0)
    teacher, text = F.normalize(torch.randn(5, 8), dim=1), F.normalize(torch.randn(5, 8), dim=1)
    label = torch.arange(5)
    agree = distillation_loss(teacher, teacher, text, label, 0.1)
    differ = distillation_loss(teacher.flip(0), teacher, text, label, 0.1)
    assert agree['contrastive'] < differ['contrastive']
    assert agree['cosine'] < 1e-6 < differ['cosine']
