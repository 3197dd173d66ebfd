"""What all that speaks to Google shares."""
