"""The roster: files that people keep, read to rows, and the one answer made of them."""
