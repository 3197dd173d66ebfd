"""How one person is reached: by which methods, in which order, and what follows a failure."""
