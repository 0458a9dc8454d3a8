"""Client secrets as administrators make them: stored as a hash, told once."""

from oidc.models import Client
from oidc.secrets import hash_secret, new_secret


def has_use_for_secret(client: Client) -> bool:
    """Whether it proves itself by a secret: public clients do not, and those with keys have better."""
    return client.is_confidential and not client.jwks


def give_secret(client: Client) -> str:
    """A new secret, which takes the place of the old one at once. The caller shows it: nobody can read it again."""
    secret = new_secret()
    client.client_secret = hash_secret(secret)
    client.save(update_fields=["client_secret", "updated"])
    return secret
