"""The journal in Slack: asked for, written, added to, found again."""
