"""Runbooks: reading them from folders, and carrying out the actions of their steps."""
