"""Hostile input for everything that reads what others wrote: by properties, and led by coverage."""
