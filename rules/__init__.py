"""Decides: the vocabulary of alerts and incidents, and what should happen to them.

Nothing here performs I/O, reads a clock or waits. State and facts go in, a decision comes out.
"""
