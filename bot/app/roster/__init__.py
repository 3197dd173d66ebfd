"""The roster of a running bot: read, kept, written back, and told of."""
