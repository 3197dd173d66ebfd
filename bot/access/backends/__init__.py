"""Where elevated groups live: one module for each kind of back-end."""
