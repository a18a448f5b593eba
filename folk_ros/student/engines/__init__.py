"""Sparse convolution, several times over: one file per way of computing it, and the choice."""
