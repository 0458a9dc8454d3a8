"""The heart: a challenge is answered by a code that is never stored; deliveries carry it; one timer follows them."""
