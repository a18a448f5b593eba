"""Furnished rooms: what stands where."""
