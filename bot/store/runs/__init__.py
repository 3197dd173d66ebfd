"""Runs, and what is expected of them."""
