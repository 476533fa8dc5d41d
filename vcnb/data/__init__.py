"""Numbers and recordings that travel with the package."""
