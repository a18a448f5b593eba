"""Things in heaps on tables, seen once by a depth camera."""
