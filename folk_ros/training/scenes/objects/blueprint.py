"""What a category's builder gives: parts in the object's own frame, and words for them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from folk_ros.training.scenes.rendering import primitives as p
from folk_ros.training.scenes.rendering.primitives import Colour, Material, Part

Rng = np.random.Generator


@dataclass(frozen=True)
class Support:
    """A level place of an object where other things can stand; own frame, metres."""

    low: tuple[float, float]
    high: tuple[float, float]
    z: float
    room_above: float = 1.0  # metres free above it
    kind: str = 'top'  # 'top', 'shelf', 'seat' or 'bed'


@dataclass(frozen=True)
class Blueprint:
    """
    One object: origin at its support point, z up, front towards +x.

    Wall-hung things have their back at x = 0 and their lowest point at z = 0.
    """

    parts: Sequence[Part]
    colour: str  # words for captions
    stuff: str
    supports: tuple[Support, ...] = ()
    form: str = ''  # what shape it has among its kind, for captions: 'round', 'folding'

    def stretched(self, width: float) -> Blueprint:
        """Return the same object, wider along y by a factor."""
        supports = tuple(
            replace(s, low=(s.low[0], s.low[1] * width), high=(s.high[0], s.high[1] * width))
            for s in self.supports
        )
        return replace(self, parts=p.stretched(self.parts, width), supports=supports)


Size = tuple[float, float, float]


@dataclass(frozen=True)
class Category:
    """A kind of object under its ScanNet200 name."""

    name: str
    build: Callable[[Rng], Blueprint]
    words: tuple[str, ...]  # other names
    says: tuple[str, ...]  # descriptions and uses
    low: Size  # metres (x, y, z), smallest
    high: Size  # metres, largest
    novel: bool = False  # kept out of training rooms

    def make(self, rng: Rng) -> Blueprint:
        """Build one object and set it down so that its lowest point is z = 0."""
        made = self.build(rng)
        low = float(p.bounds(made.parts)[0][2])
        parts = [part.moved(np.eye(3), (0, 0, -low)) for part in made.parts]
        supports = tuple(replace(s, z=s.z - low) for s in made.supports)
        return replace(made, parts=parts, supports=supports)

    def captions(self, made: Blueprint) -> tuple[str, ...]:
        """Return what a person may call an object: names, descriptions, looks."""
        colour, words = made.colour, [word for word in self.words if not _uncounted(word)]
        looks = [f'{colour} {word}' for word in (self.name, *words[:2])]
        if not self.name.startswith(made.stuff):
            looks.append(f'{made.stuff} {self.name}')
            if colour not in WOODS:  # no 'oak wooden chair'
                looks.append(f'{colour} {made.stuff} {self.name}')
        if made.form:
            looks += [f'{made.form} {self.name}', f'{colour} {made.form} {self.name}']
        size, word = self.size_word(made), (*words, self.name)[0]
        if size and size not in f'{made.form} {word}':
            looks += [f'{size} {self.name}', f'{size} {colour} {word}']
        phrases = [look if _uncounted(look) else f'{_article(look)} {look}' for look in looks]
        return tuple(dict.fromkeys((self.name, *self.words, *self.says, *phrases)))

    def size_word(self, made: Blueprint) -> str:
        """Return how large an object is among its kind: 'tall', 'low', 'large', 'small' or ''."""
        low, high = p.bounds(made.parts)
        least, most = np.array(self.low), np.array(self.high)
        share = (high - low - least) / (most - least)
        stands = most[2] > 0.9 and most[2] > 1.25 * least[2]  # its height is what one sees
        words = ('tall', 'low') if stands else ('large', 'small')
        value = share[2] if stands else share.mean()
        return words[0] if value > 0.7 else words[1] if value < 0.3 else ''


def _article(words: str) -> str:
    return 'an' if words[0] in 'aeiou' and not words.startswith('one ') else 'a'


def _uncounted(words: str) -> bool:
    """Tell whether words go without an article: several things, or a stuff."""
    return words.endswith(UNCOUNTED) and not words.endswith('ss')


@dataclass(frozen=True)
class Finish:
    """A material and the words for it."""

    material: Material
    colour: str
    stuff: str


NAMED: dict[str, Colour] = {
    'white': (0.9, 0.9, 0.88), 'black': (0.06, 0.06, 0.07), 'grey': (0.5, 0.5, 0.51),
    'dark grey': (0.24, 0.25, 0.27), 'light grey': (0.72, 0.72, 0.72), 'red': (0.72, 0.1, 0.1),
    'blue': (0.13, 0.28, 0.68), 'dark blue': (0.08, 0.13, 0.32), 'light blue': (0.5, 0.7, 0.87),
    'green': (0.16, 0.48, 0.2), 'dark green': (0.09, 0.25, 0.14), 'yellow': (0.9, 0.76, 0.15),
    'orange': (0.9, 0.45, 0.1), 'brown': (0.38, 0.22, 0.12), 'beige': (0.8, 0.72, 0.57),
    'cream': (0.92, 0.87, 0.74), 'pink': (0.88, 0.55, 0.65), 'purple': (0.42, 0.2, 0.52),
    'turquoise': (0.15, 0.6, 0.6), 'silver': (0.66, 0.67, 0.69),
}  # fmt: skip
WOODS: dict[str, tuple[Colour, Colour]] = {
    'light wood': ((0.8, 0.64, 0.43), (0.62, 0.46, 0.28)),
    'oak': ((0.68, 0.49, 0.29), (0.48, 0.32, 0.17)),
    'dark wood': ((0.32, 0.19, 0.11), (0.18, 0.1, 0.06)),
    'walnut': ((0.42, 0.27, 0.16), (0.25, 0.15, 0.09)),
    'cherry wood': ((0.55, 0.27, 0.15), (0.38, 0.16, 0.09)),
    'pale birch': ((0.88, 0.78, 0.6), (0.75, 0.62, 0.43)),
}
UNCOUNTED = (
    's',
    'laundry',
    'clothing',
    'footwear',
    'paper',
    'matter',
    'luggage',
    'soap',
    'tissue',
)
PATTERN_WORDS = {p.STRIPES: 'striped', p.CHECKS: 'chequered', p.DOTS: 'dotted'}
SOBER = ('white', 'black', 'grey', 'dark grey', 'light grey', 'beige', 'brown', 'dark blue')
BRIGHT = ('red', 'blue', 'green', 'yellow', 'orange', 'pink', 'purple', 'turquoise', 'light blue')
ANY = (*SOBER, *BRIGHT, 'dark green', 'cream')


def pick(rng: Rng, names: Sequence[str]) -> str:
    """Pick one word."""
    return names[int(rng.integers(len(names)))]


def tint(rng: Rng, colour: Colour, spread: float = 0.06) -> Colour:
    """Vary a colour a little: brightness most, hue less."""
    gain = 1 + spread * rng.normal()
    r, g, b = (
        float(np.clip(c * (gain + 0.3 * spread * rng.normal()) + 0.01, 0.02, 0.97)) for c in colour
    )
    return (r, g, b)


def wear_of(rng: Rng) -> float:
    """Draw how worn a thing is: most are as good as new, some have seen years."""
    return float(rng.uniform(0.02, 0.12) if rng.random() < 0.75 else rng.uniform(0.15, 0.4))


def finish(
    rng: Rng, names: Sequence[str], stuff: str, pattern: int = p.PLAIN, period: float = 0.1
) -> Finish:
    """Paint in one of the named colours; the accent is another tint of it or a second colour."""
    name = pick(rng, names)
    colour = tint(rng, NAMED[name])
    other = pick(rng, ANY)
    darker = tint(rng, (colour[0] * 0.7, colour[1] * 0.7, colour[2] * 0.7))
    subtle = pattern in (p.FABRIC, p.SPECKLE, p.WEAVE, p.TILES)
    accent = darker if subtle or other == name else tint(rng, NAMED[other])
    gloss = {'fabric': 0.0, 'paper': 0.05, 'cardboard': 0.0, 'leather': 0.25}.get(stuff, 0.35)
    if pattern in PATTERN_WORDS:
        stuff = f'{PATTERN_WORDS[pattern]} {stuff}'
    return Finish(
        Material(
            colour, accent, pattern, period * rng.uniform(0.8, 1.25), gloss * rng.uniform(0.5, 1),
            wear_of(rng), int(rng.integers(1 << 30)),
        ),
        name,
        stuff,
    )  # fmt: skip


def cloth(rng: Rng, names: Sequence[str] = ANY) -> Finish:
    """Pick a fabric: mostly of one colour, sometimes striped, checked or dotted."""
    pattern = int(rng.choice([p.FABRIC, p.FABRIC, p.FABRIC, p.STRIPES, p.CHECKS, p.DOTS]))
    return finish(rng, names, 'fabric', pattern, 0.08)


def upholstery(rng: Rng) -> Finish:
    """Pick fabric or leather for seats."""
    if rng.random() < 0.3:
        return finish(rng, ('black', 'brown', 'white', 'red', 'beige'), 'leather')
    return finish(rng, ANY, 'fabric', p.FABRIC)


def wooden(rng: Rng) -> Finish:
    """Pick a wood."""
    name = pick(rng, tuple(WOODS))
    light, dark = WOODS[name]
    material = Material(
        tint(rng, light), tint(rng, dark), p.WOOD, rng.uniform(0.02, 0.06),
        rng.uniform(0.05, 0.3), wear_of(rng), int(rng.integers(1 << 30)),
    )  # fmt: skip
    return Finish(material, name, 'wooden')


def board(rng: Rng, names: Sequence[str] = ('white', 'grey', 'black', 'light grey')) -> Finish:
    """Pick what case furniture is made of: wood or painted board."""
    return wooden(rng) if rng.random() < 0.6 else finish(rng, names, 'painted')


def metal(rng: Rng, names: Sequence[str] = ('silver', 'black', 'dark grey', 'white')) -> Finish:
    """Pick a metal."""
    return finish(rng, names, 'metal')


def plastic(rng: Rng, names: Sequence[str] = ANY) -> Finish:
    """Pick a plastic."""
    return finish(rng, names, 'plastic')


def shaded(finish_: Finish, factor: float) -> Material:
    """Return the same material, darker or lighter."""
    m = finish_.material
    r, g, b = (min(c * factor, 1.0) for c in m.colour)
    return Material((r, g, b), m.accent, m.pattern, m.period_m, m.gloss, m.wear, m.seed)


def legs(
    material: Material, size: tuple[float, float], height: float, thick: float, inset: float = 0.0
) -> list[Part]:
    """Stand four square legs under a top of `size` (x, y)."""
    x, y = size[0] / 2 - thick / 2 - inset, size[1] / 2 - thick / 2 - inset
    return [
        p.box(material, (sx * x, sy * y, height / 2), (thick, thick, height))
        for sx in (-1, 1)
        for sy in (-1, 1)
    ]


BLACK = Material((0.05, 0.05, 0.06), gloss=0.3)
DARK = Material((0.16, 0.16, 0.17), gloss=0.2)
WHITE = Material((0.9, 0.9, 0.89), gloss=0.3)
STEEL = Material((0.62, 0.63, 0.65), gloss=0.8, wear=0.02)
