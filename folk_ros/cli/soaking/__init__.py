"""What `folk soak` throws at a running node, and how it counts what comes of it."""
