"""The composition root: builds the parts, runs them together, stops them in order."""
