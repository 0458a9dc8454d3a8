"""Tokens of a login without a browser."""

from typing import Any

import jwt
import pytest
from django.db import OperationalError, connection
from django.utils import timezone

from oidc import keys, services, tokens
from oidc.models import Consent, LogoutNotice, TokenFamily
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


def test_a_grant_is_taken_back_as_a_whole_or_not_at_all() -> None:
    """When the database goes away on the way, the consent is still there to be taken back again."""
    project = factories.make_project()
    client = factories.make_client(project, backchannel_logout_uri="https://acme.example/ended")
    user = User.objects.create(project_id=project.id, phone=factories.PHONE, password="")
    services.record_consent(user_id=user.id, client=client, scopes=["openid"])
    services.new_tokens(client=client, scopes=["openid"], issuer=ISSUER).store(a_login(user))

    def go_away(execute: Any, sql: str, params: object, many: object, context: object) -> object:
        if sql.startswith(f'UPDATE "{TokenFamily._meta.db_table}"'):
            raise OperationalError
        return execute(sql, params, many, context)

    with connection.execute_wrapper(go_away), pytest.raises(OperationalError):
        services.revoke_grant(user_id=user.id, client_id=client.client_id)

    assert Consent.objects.exists()
    assert not LogoutNotice.objects.exists()
