"""How members of staff sign in: second factors, their own security page, sessions."""
