"""Pictures: a blast radius as SVG, and as PNG for where SVG is not shown."""
