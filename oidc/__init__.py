"""The OpenID provider: clients, codes, tokens and keys, on oauthlib and django-oauth-toolkit. Pages are in `login`."""
