"""Trackers of issues in which tasks after incidents have a copy."""
