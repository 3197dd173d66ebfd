"""Tests of what proves a fix."""
