"""What is kept of the rotation: versions, rows, and what people changed."""
