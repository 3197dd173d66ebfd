"""What the table of production issues says of an incident: where it stands and how long it took."""
