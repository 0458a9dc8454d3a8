"""Tokens of a login without a browser."""

import jwt
import pytest
from django.utils import timezone

from oidc import keys, services, tokens
from oidc.types import Login
from tests import factories
from users.models import User, session_hash

pytestmark = pytest.mark.django_db

ISSUER = "https://login.acme.example"


def a_login(user: User) -> Login:
    return Login(
        user_id=user.id,
        sid=None,
        auth_time=timezone.now(),
        amr=("otp",),
        session_hash=session_hash(password=user.password, session_salt=user.session_salt),
    )


def test_a_login_without_a_browser_gets_tokens_that_an_independent_library_verifies() -> None:
    """J9"""
    project = factories.make_project()
    client = factories.make_client(project)
    user = User.objects.create(project_id=project.id, phone=factories.PHONE, password="")
    login = a_login(user)
    new = services.new_tokens(client=client, scopes=["openid", "phone"], issuer=ISSUER)
    new.store(login)
    found = services.sign_tokens(
        new, user_id=user.id, phone=factories.PHONE, auth_time=login.auth_time, amr=login.amr
    )

    (jwk,) = [key.jwk() for key in keys.key_ring().published(timezone.now())]
    claims = jwt.decode(found.id_token, jwt.PyJWK(jwk), audience="acme-web", issuer=ISSUER)
    assert claims["sub"] == str(user.id)
    assert claims["phone_number"] == factories.PHONE
    assert claims["amr"] == ["otp"]
    assert tokens.find_access(found.access_token, project_id=project.id)
    assert tokens.find_refresh(found.refresh_token, client=client)
