"""Who uses the service: projects, login methods, and the configuration in memory. A leaf: imports no other app."""
