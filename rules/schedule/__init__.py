"""The rotation: what a roster says, the spans it resolves to, and all that people change and are told."""
