"""Simulated Meta: the Graph API and the webhooks that follow."""
