"""Being on call in Slack: followers, reminders, hand-offs, and the check before a shift."""
