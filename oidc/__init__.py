"""The OpenID provider: clients, codes, tokens, keys. Over django-oauth-toolkit and oauthlib; pages are in `login`."""
