"""YAML documents to a checked rulebook: strict reading, what may be written, and the parts it makes."""
