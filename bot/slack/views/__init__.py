"""What Slack shows, as pure Block Kit."""
