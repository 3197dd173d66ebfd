"""Rules that people teach by correcting incidents."""
