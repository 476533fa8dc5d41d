"""What speaks behind the practice service."""
