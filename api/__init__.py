"""The headless API: phone login for applications that have their own screens (interface.md section 6)."""
