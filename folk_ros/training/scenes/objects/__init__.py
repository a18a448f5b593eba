"""Furniture and small things, as functions from a random generator to painted solids."""
