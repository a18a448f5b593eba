"""Every category there is, by name."""

from __future__ import annotations

from folk_ros.training.scenes.objects import (
    bedding,
    electronics,
    fittings,
    household,
    seating,
    small,
    storage,
    tables,
)
from folk_ros.training.scenes.objects.blueprint import Category

FAMILIES = (seating, tables, storage, bedding, electronics, small, household, fittings)
CATEGORIES: dict[str, Category] = {
    category.name: category for family in FAMILIES for category in family.CATEGORIES
}
"""The main form of each category."""

VARIANTS: dict[str, Category] = {
    'floor lamp': bedding.FLOOR_LAMP,
    'kitchen sink': household.KITCHEN_SINK,
}
"""Other forms under the same ScanNet200 names, kept apart because they stand elsewhere."""
