"""What people did and what they were shown."""
