"""The journal, its search, and what is alike."""
