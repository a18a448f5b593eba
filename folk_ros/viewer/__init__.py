"""Look at a segmented cloud in a browser: turn it, read its labels, ask it in free words."""
