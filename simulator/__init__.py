"""Simulated Meta, Twilio, SMS gateway and handsets over real HTTP; for the demo and tests only."""
