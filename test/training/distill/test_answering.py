import numpy as np
import pytest

from folk_ros.training.distill.answering import logistic


def test_a_logistic_fit_finds_the_factors_that_made_the_data():
    rng = np.random.default_rng(0)
    x = np.concatenate([np.ones((20_000, 1)), rng.normal(2, 3, (20_000, 2))], 1)
    factors = np.array([-0.5, 1.0, -0.7])
    right = (rng.random(len(x)) < 1 / (1 + np.exp(-x @ factors))).astype(float)
    assert logistic(x, right, np.ones(len(x))) == pytest.approx(factors, abs=0.1)


def test_weights_shift_the_prior():
    x, right = np.ones((1000, 1)), np.r_[np.ones(500), np.zeros(500)]
    weight = np.where(right > 0, 1.0, 3.0)
    (bias,) = logistic(x, right, weight)
    assert 1 / (1 + np.exp(-bias)) == pytest.approx(0.25, abs=0.01)
