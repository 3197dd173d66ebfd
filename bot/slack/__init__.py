"""Slack: listeners in, views as pure Block Kit, delivery out, and the line to Slack itself."""
