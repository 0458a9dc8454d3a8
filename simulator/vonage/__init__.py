"""Vonage's Messages API, the part that sends SMS."""
