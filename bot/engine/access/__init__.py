"""Acts on elevated groups."""
