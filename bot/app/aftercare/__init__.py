"""What follows incidents: runbooks watched, gaps and tasks reminded of, actions and trackers wired."""
