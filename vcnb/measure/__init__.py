"""Numbers about a clip, one family a module."""
