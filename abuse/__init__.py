"""Limits before cost: who may send and guess how much, counted in one round trip."""
