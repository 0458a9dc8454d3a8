"""The headless API (`/api/v1/`)."""
