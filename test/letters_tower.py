"""A text tower for tests that need no language."""

import numpy as np

from folk_ros.text import TextTower


def letters_tower(templates=('{}',), cache_size=4096):
    """A tower without a language: counts letters. Tells what it was asked to run."""
    asked: list[list[str]] = []

    def run(prompts):
        asked.append(prompts)
        counts = [[p.lower().count(c) + 0.01 for c in 'aeiou'] for p in prompts]
        vectors = np.array(counts, np.float32)
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)

    return TextTower('letters', 5, run, templates, cache_size=cache_size), asked
