"""The table of production issues: drawn beside the incidents, read by index."""
