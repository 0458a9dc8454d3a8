"""Who did what; append-only. Empty until staff roles are built."""
