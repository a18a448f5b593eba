"""Cameras and scanners that are carried through a room, and what they get wrong."""
