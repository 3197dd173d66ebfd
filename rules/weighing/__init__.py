"""The tables by which alerts are weighed: category, impact, urgency, priority, and how long a page may wait."""
