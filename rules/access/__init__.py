"""Elevated groups: who may have which, from when until when, and what is written down of it."""
