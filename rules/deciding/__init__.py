"""What each kind of event does to an incident."""
