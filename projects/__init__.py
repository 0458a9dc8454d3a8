"""Projects, their login methods and their configuration in memory. Imports only `core`."""
