"""Simulated Twilio: the Messages resource and its status callbacks."""
