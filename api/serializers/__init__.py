"""What the API takes and what it answers."""
