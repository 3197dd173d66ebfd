"""Acts on the rotation, and what became of them."""
