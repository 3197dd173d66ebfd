"""Starts runs at orchestrators, to prove a fix now: one module for each kind."""
