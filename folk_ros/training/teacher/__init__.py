"""The 2D teacher: posed RGB-D images and instances to CLIP embeddings per view."""
