"""Runbooks: which one an incident gets, what came of its steps, and which are missing or stale."""
