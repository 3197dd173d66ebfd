"""What would prove a fix, and whether what a source tells proves it."""
