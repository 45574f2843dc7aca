"""One page, its charts, and the same plots as PNG."""
