"""The rotation in Slack: cover, swaps, overrides, and the load."""
