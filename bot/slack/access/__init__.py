"""Elevated groups as people meet them in Slack: asking, approving, giving back."""
