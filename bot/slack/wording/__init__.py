"""The sentences about an incident."""
