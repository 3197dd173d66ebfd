"""Pages for people who are signed in: the table of production issues, incidents, the journal."""
