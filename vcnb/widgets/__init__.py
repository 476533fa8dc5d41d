"""Faces in a notebook."""
