"""Is this recording good enough? Findings, one check a module."""
