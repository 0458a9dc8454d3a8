"""OpenID Connect as people meet it: authorization, consent and signing out."""
