"""Every category there is, by name."""

from __future__ import annotations

from folk_ros.training.scenes.objects import (
    bathroom,
    bedding,
    chairs,
    decor,
    doors,
    electronics,
    gadgets,
    kitchen,
    lamps,
    seating,
    sinks,
    small,
    standing,
    storage,
    tables,
    tableware,
    walls,
)
from folk_ros.training.scenes.objects.blueprint import Category

FAMILIES = (
    chairs,
    seating,
    tables,
    storage,
    bedding,
    lamps,
    electronics,
    gadgets,
    tableware,
    small,
    decor,
    kitchen,
    bathroom,
    sinks,
    walls,
    doors,
    standing,
)
CATEGORIES: dict[str, Category] = {
    category.name: category for family in FAMILIES for category in family.CATEGORIES
}
"""The main form of each category."""

VARIANTS: dict[str, Category] = {
    'floor lamp': lamps.FLOOR_LAMP,
    'kitchen sink': sinks.KITCHEN_SINK,
}
"""Other forms under the same ScanNet200 names, kept apart because they stand elsewhere."""
