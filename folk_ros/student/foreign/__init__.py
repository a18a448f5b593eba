"""Checkpoints of other programs, read without running anything of theirs."""
