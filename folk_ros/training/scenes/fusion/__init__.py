"""Posed depth images become one cloud."""
