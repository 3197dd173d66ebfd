"""Tests of starting runs, against local servers."""
