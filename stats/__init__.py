"""Rollups that beat keeps, and what dashboard, CSV and API read from them: logins, messages, times, causes, cost.

A room above `otp`: it reads challenges and deliveries, and nothing of a login waits for it.
"""
