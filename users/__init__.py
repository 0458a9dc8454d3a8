"""Who logs in: people known by a phone number, and staff known by a name and a password."""
