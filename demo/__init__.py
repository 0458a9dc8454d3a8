"""The sample shop and the proxy to the simulated phone; in urls only when MODE=demo."""
