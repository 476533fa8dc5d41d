"""What people do, composed from the rooms to the left."""
