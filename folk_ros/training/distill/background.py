"""The names that a distilled student calls things by, and those that texts are judged against."""

from __future__ import annotations

from collections.abc import Sequence

from folk_ros.query import Vocabulary
from folk_ros.text_embeddings import TextEncoder
from folk_ros.training.distill.lexicon import lexicon, sayings
from folk_ros.training.distill.trial import LABEL_SET
from folk_ros.training.labels import load_labels

SCALE = 20.0  # logit scale of the query softmax
FLOOR = 0.35  # see Vocabulary


def background(
    names: Sequence[str], text: TextEncoder, training: Sequence[str] = ()
) -> Vocabulary:
    """
    Return what queries are judged by: names and the label set's, with what is said of them.

    Things are called by `names`, but for those that are only another word for one of them ('seat'
    for 'chair') and stand in no `training` scene.
    """
    doubles = {word for words in lexicon(names) for word in words} - set(training)
    shown = [name for name in names if name not in doubles]
    others = load_labels(LABEL_SET).instance_labels().names
    every = tuple(dict.fromkeys((*shown, *names, *others)))
    said = sayings(every, text)
    return Vocabulary(every, text.encode(every), SCALE, FLOOR, sayings=said, shown=len(shown))
