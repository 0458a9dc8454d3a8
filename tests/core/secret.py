"""A value that no message may show."""

SECRET = "very-secret-value"  # made up
