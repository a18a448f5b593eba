"""Processes that share a distillation end with one adapter: that of all their draws together."""

import os
from pathlib import Path
import socket
import subprocess
import sys

import pytest
from safetensors.torch import load_file
import torch
from torch.nn import functional as F

from folk_ros.training.distill.recipes import Recipe
from folk_ros.training.distill.samples import AdapterData
from folk_ros.training.distill.trainer import AdapterTrainer, new_adapter, rate, Texts

RECIPE = Recipe(steps=6, batch=16, cosine=1.0, noise=0.1, dropout=0.2)
WORK = """
import sys
sys.path.insert(0, sys.argv[2])
import torch
from safetensors.torch import save_file
from torch import distributed
from test_several_processes import new_trainer
torch.set_num_threads(1)
distributed.init_process_group('gloo')
name = f'{sys.argv[1]}/{distributed.get_rank()}.safetensors'
save_file(new_trainer().run().state_dict(), name)
distributed.destroy_process_group()
"""


def new_trainer():
    torch.manual_seed(0)
    text = F.normalize(torch.randn(3, 6), dim=1)
    label = torch.arange(3).repeat(20)
    pooled = torch.randn(3, 10)[label] * 2 + torch.randn(60, 10) * 0.3
    teacher = F.normalize(text[label] + torch.randn(60, 6) * 0.1, dim=1)
    data = AdapterData(pooled, torch.arange(60), teacher, F.one_hot(label).float())
    texts = Texts(text, [text[:0]] * 3)
    return AdapterTrainer(new_adapter(data, RECIPE, 0), data, texts, RECIPE)


def alone_with_the_draws_of_two():
    own = new_trainer()
    while own.step < RECIPE.steps:
        own.optimizer.zero_grad()
        for rank in range(2):
            (torch.stack(list(own.draw(rank).values())).sum() / 2).backward()
        for group in own.optimizer.param_groups:
            group['lr'] = RECIPE.learning_rate * rate(own.step / RECIPE.steps)
        own.optimizer.step()
        own.step += 1
    return own.adapter.state_dict()


@pytest.mark.slow
def test_two_processes_of_torchrun_are_one_process_with_the_draws_of_both(tmp_path):
    with socket.socket() as sock:
        sock.bind(('127.0.0.1', 0))
        port = sock.getsockname()[1]
    words = [sys.executable, '-c', WORK, str(tmp_path), str(Path(__file__).parent)]
    common = {'WORLD_SIZE': '2', 'MASTER_ADDR': '127.0.0.1', 'MASTER_PORT': str(port)}
    running = [
        subprocess.Popen(words, env=os.environ | common | {'RANK': str(rank)}) for rank in range(2)
    ]
    assert [process.wait(120) for process in running] == [0, 0]
    one, two = (load_file(tmp_path / f'{rank}.safetensors') for rank in range(2))
    both, before = alone_with_the_draws_of_two(), new_trainer().adapter.state_dict()
    for name, value in both.items():
        assert torch.equal(one[name], two[name]), name
        assert torch.allclose(one[name], value, atol=1e-6), name
    assert float((one['mlp.3.weight'] - before['mlp.3.weight']).abs().max()) > 1e-3
