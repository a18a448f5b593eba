"""The demo CLIP: a packed text tower, and an image tower trained to it on rendered rooms."""
