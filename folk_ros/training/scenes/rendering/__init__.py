"""Posed solids, their surfaces and light, seen by a camera."""
