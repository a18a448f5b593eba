"""Every category there is, by name."""

from __future__ import annotations

from folk_ros.training.scenes.objects import (
    bathroom,
    bedding,
    decor,
    electronics,
    gadgets,
    kitchen,
    seating,
    small,
    standing,
    storage,
    tables,
    tableware,
    walls,
)
from folk_ros.training.scenes.objects.blueprint import Category

FAMILIES = (
    seating,
    tables,
    storage,
    bedding,
    electronics,
    gadgets,
    tableware,
    small,
    decor,
    kitchen,
    bathroom,
    walls,
    standing,
)
CATEGORIES: dict[str, Category] = {
    category.name: category for family in FAMILIES for category in family.CATEGORIES
}
"""The main form of each category."""

VARIANTS: dict[str, Category] = {
    'floor lamp': bedding.FLOOR_LAMP,
    'kitchen sink': kitchen.KITCHEN_SINK,
}
"""Other forms under the same ScanNet200 names, kept apart because they stand elsewhere."""
