"""Scenes to learn from and to be scored on."""
