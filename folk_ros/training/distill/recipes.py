"""Named ways to distil. What won by ablation is `best`; the paper's own is `folk`."""

from __future__ import annotations

from dataclasses import dataclass, replace

from folk_ros.student.vl_adapter import ATTENTION, FOLK, LEVELS, MOMENTS, POOLINGS

MAJORITY, SOFT = 'majority', 'soft'
TRAINING_NAMES, ALL_NAMES = 'training', 'all'


@dataclass(frozen=True)
class Recipe:
    """How teacher files become an adapter."""

    # pseudo-labels
    voting: str = MAJORITY
    """'majority': each view has a vote and those that disagree are dropped; 'soft': views are
    weighted by visibility and by how sure they are, and labels are a distribution."""
    by_visibility: bool = False
    """Whether views that survive are fused by how much they see, in place of evenly."""
    ask: str = TRAINING_NAMES
    """What voters choose from: the names of labelled training rooms, or all of the label set."""
    vote_scale: float = 20.0
    """Logit scale of soft votes."""
    # what the adapter reads
    pooling: str = FOLK
    hidden: int = 512
    members: int = 1
    """So many adapters are trained, each with a seed of its own, and made one wider adapter."""
    predicted_masks: bool = False
    """Whether the student's own masks that are some instance are trained on too."""
    unlabelled: bool = False
    """Whether rooms without truth, whose masks were predicted, are trained on too."""
    balance: float = 0.0
    """Objects are drawn by how many bear their name, to the power of minus this; 0: all alike."""
    # losses
    contrastive: float = 1.0
    """w1, of InfoNCE between student and teacher embeddings."""
    label: float = 1.0
    """w2, of the cross-entropy against labels."""
    cosine: float = 0.0
    """Of 1 - cosine to the teacher."""
    temperature: float = 0.07
    """tau of both softmaxes."""
    spare_same: bool = False
    """Whether instances of one label are no negatives of each other."""
    hard_negatives: float = 0.0
    """Negatives weigh as exp of this times their logit, over the mean; 0: all alike."""
    words: float = 0.0
    """Share of a label's text that is one of its synonyms or descriptions, drawn each time."""
    # training
    steps: int = 2000
    batch: int = 256
    learning_rate: float = 2e-3
    weight_decay: float = 0.05
    noise: float = 0.1
    """Of the features, in units of their spread."""
    dropout: float = 0.2

    def __post_init__(self) -> None:
        for name, value, allowed in (
            ('voting', self.voting, (MAJORITY, SOFT)),
            ('ask', self.ask, (TRAINING_NAMES, ALL_NAMES)),
            ('pooling', self.pooling, POOLINGS),
        ):
            if value not in allowed:
                raise ValueError(f'{name}: expected one of {allowed}, got {value!r}')
        if self.members < 1 or (self.members > 1 and self.pooling == ATTENTION):
            raise ValueError(
                'members: expected at least 1, and 1 where the pooling is attention, got '
                f'{self.members}'
            )
        if self.steps < 1 or self.batch < 2 or self.temperature <= 0:
            raise ValueError(
                'steps, batch and temperature: expected at least 1, at least 2 and above 0, got '
                f'{self.steps}, {self.batch} and {self.temperature}'
            )


PAPER = Recipe(noise=0.0, dropout=0.0)
BEST = Recipe(
    voting=SOFT,
    by_visibility=True,
    pooling=MOMENTS,
    predicted_masks=True,
    balance=0.5,
    members=3,
    cosine=4.0,
    spare_same=True,
)
OPEN = replace(BEST, unlabelled=True, ask=ALL_NAMES)
# the paper's own way, from the same rooms as best_unlabelled, to compare with that
PAPER_OPEN = replace(PAPER, unlabelled=True, ask=ALL_NAMES)
RECIPES: dict[str, Recipe] = {
    'folk': PAPER,
    'folk_unlabelled': PAPER_OPEN,
    'best': BEST,
    'best_unlabelled': OPEN,
}


def recipe(name: str) -> Recipe:
    """Return a recipe by name; ValueError says which there are."""
    if name not in RECIPES:
        raise ValueError(f'config: expected one of {sorted(RECIPES)}, got {name!r}')
    return RECIPES[name]


def open_choices() -> dict[str, Recipe]:
    """Return what the paper leaves open, one change of `folk` each, for the ablation."""
    paper = PAPER
    changes = {
        'temperature 0.03': replace(paper, temperature=0.03),
        'temperature 0.1': replace(paper, temperature=0.1),
        'temperature 0.2': replace(paper, temperature=0.2),
        'w1 0 (labels alone)': replace(paper, contrastive=0.0),
        'w2 0 (no labels)': replace(paper, label=0.0),
        'w1 0.3': replace(paper, contrastive=0.3),
        'w2 0.3': replace(paper, label=0.3),
        'views fused by visibility': replace(paper, by_visibility=True),
    }
    rows = {f'folk, {what}': own for what, own in changes.items()}
    return {'folk': paper, **rows, 'folk, unlabelled rooms, voters know all names': PAPER_OPEN}


def steps_beyond() -> dict[str, Recipe]:
    """Return `best` and, with one adapter, what it has beyond the paper taken away or put in."""
    one, paper = replace(BEST, members=1), PAPER  # each row but two in a third of the time
    return {
        'best': BEST,
        'one adapter': one,
        'one adapter, majority vote': replace(one, voting=MAJORITY),
        'one adapter, average of the finest features': replace(one, pooling=FOLK),
        'one adapter, mean of all levels alone': replace(one, pooling=LEVELS),
        'one adapter, attention to single voxels': replace(one, pooling=ATTENTION),
        'one adapter, given masks alone': replace(one, predicted_masks=False),
        'one adapter, all objects drawn alike': replace(one, balance=0.0),
        'one adapter, no pull to the teacher': replace(one, cosine=0.0),
        'one adapter, same labels repel': replace(one, spare_same=False),
        'one adapter, no noise and dropout': replace(
            one, noise=paper.noise, dropout=paper.dropout
        ),
        'one adapter, hard negatives': replace(one, hard_negatives=0.5),
        'one adapter, synonyms and descriptions': replace(one, words=0.5),
        'one adapter, voters know all names': replace(one, ask=ALL_NAMES),
        'one adapter, unlabelled rooms': replace(one, unlabelled=True),
        'one adapter, unlabelled rooms, voters know all names': replace(OPEN, members=1),
        'best, unlabelled rooms, voters know all names': OPEN,
    }
