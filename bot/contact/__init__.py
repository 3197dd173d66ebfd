"""Reaches people by other means than Slack, and hears when they acknowledge there."""
