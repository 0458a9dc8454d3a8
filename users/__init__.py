"""Users: people, identified by a phone number, and staff, with a username and a password."""
