"""Training of class-agnostic masks."""
