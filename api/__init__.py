"""The headless API: phone login for applications with screens of their own (docs/contract.md, section 6)."""
