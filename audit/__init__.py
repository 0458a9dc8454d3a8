"""Who did what, from where, with what was before and after. Append-only."""
