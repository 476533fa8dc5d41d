"""Voices side by side, as values."""
