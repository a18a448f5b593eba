"""Readers of public datasets: each makes a scene folder of their files."""
