"""Backups of a database in use, and databases made of backups: one module a kind."""
