"""What is left to do after an incident: which tasks, by when, and when somebody is reminded."""
