"""What people ask for in Slack, as it is stored before Slack is answered."""
