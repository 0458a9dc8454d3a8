"""A simulated SMS gateway, as `sms.provider: http` calls it."""
