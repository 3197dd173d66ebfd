"""Does: everything in Watchbill that touches the world."""
