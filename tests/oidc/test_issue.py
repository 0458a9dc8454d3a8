"""The tokens of a login without a browser: the same rows in one statement and in the portable form."""

import uuid
from collections.abc import Sequence
from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from core.config_version import pinned
from core.ids import new_id
from core.redis import redis_client
from oidc import issue, keys, policy, services, tokens
from oidc.models import AccessToken, Client, RefreshToken, TokenFamily
from oidc.types import Login
from projects.config import ProjectConfig
from tests import factories
from users.models import User, session_hash

pytestmark = pytest.mark.django_db

ISSUER = "https://login.acme.example"


@pytest.fixture
def project() -> ProjectConfig:
    return factories.make_project()


@pytest.fixture
def client(project: ProjectConfig) -> Client:
    return factories.make_client(project, algorithm="ES256")


@pytest.fixture
def user(project: ProjectConfig) -> User:
    return User.objects.create(project_id=project.id, phone=factories.PHONE, password="")


def a_login(user: User, **more: object) -> Login:
    values: dict[str, object] = {
        "user_id": user.id,
        "sid": None,
        "auth_time": timezone.now(),
        "amr": ("otp", "sms"),
        "session_hash": session_hash(password="", session_salt=user.session_salt),
    }
    return Login(**(values | more))  # type: ignore[arg-type] # as given


def begin(
    client: Client, user: User, scopes: Sequence[str] = ("openid", "phone")
) -> tuple[TokenFamily, str, str]:
    return issue.create_tokens(client=client, login=a_login(user), scopes=scopes, issuer=ISSUER)


def test_the_rows_are_those_of_a_family_that_was_given_its_tokens(client: Client, user: User) -> None:
    family, access, refresh = begin(client, user)

    stored = TokenFamily.objects.get()
    for field in TokenFamily._meta.concrete_fields:
        assert getattr(stored, field.attname) == getattr(family, field.attname), field.attname
    assert stored.used_at == stored.created_at
    assert (stored.sid, stored.scope, stored.amr) == (stored.id, "openid phone", ["otp", "sms"])
    assert stored.expires_at - stored.created_at == policy.FAMILY_VALID
    first, second = AccessToken.objects.get(), RefreshToken.objects.get()
    assert bytes(first.token_hash) == tokens.hash_token(access)
    assert (first.family_id, first.scope) == (family.id, "openid phone")
    assert first.expires_at - first.created_at == policy.ACCESS_VALID == timedelta(hours=1)
    assert bytes(second.token_hash) == tokens.hash_token(refresh)
    assert (second.family_id, second.used_at) == (family.id, None)


def test_issued_tokens_are_found_like_all_others(client: Client, user: User) -> None:
    family, access, refresh = begin(client, user)

    found = tokens.find_access(access, project_id=client.project_id)
    renewable = tokens.find_refresh(refresh, client=client)
    assert found
    assert renewable
    assert found.family_id == renewable.id == family.id
    assert tokens.renew(refresh, renewable, scope=family.scope) == "openid phone"


def test_a_browsers_session_is_kept(client: Client, user: User) -> None:
    sid = uuid.uuid4()
    family, _, _ = issue.create_tokens(
        client=client, login=a_login(user, sid=sid), scopes=["openid"], issuer=ISSUER
    )

    assert TokenFamily.objects.get().sid == family.sid == sid


def test_issuing_joins_the_callers_transaction(client: Client, user: User) -> None:
    with transaction.atomic():
        begin(client, user)
        transaction.set_rollback(True)

    for model in (TokenFamily, AccessToken, RefreshToken):
        assert not model.objects.exists()


def test_tokens_need_an_existing_user(client: Client, user: User) -> None:
    login = a_login(user, user_id=new_id())

    with transaction.atomic():
        issue.create_tokens(client=client, login=login, scopes=["openid"], issuer=ISSUER)
        with pytest.raises(IntegrityError):
            connection.check_constraints()
        transaction.set_rollback(True)


def test_issuing_is_one_statement_on_postgresql(
    client: Client, user: User, django_assert_num_queries: object
) -> None:
    expected = 1 if connection.vendor == "postgresql" else 3

    with django_assert_num_queries(expected):  # type: ignore[operator] # pytest-django's
        begin(client, user)


def test_the_answer_needs_no_query_when_the_number_is_at_hand(
    client: Client, user: User, django_assert_num_queries: object
) -> None:
    keys.sign({}, algorithm="ES256")
    keys.key_ring()
    begun = services.issue_tokens(
        client=client, login=a_login(user), scopes=["openid", "phone"], issuer=ISSUER, phone=factories.PHONE
    )

    with pinned(), django_assert_num_queries(0 if redis_client() else 1):  # type: ignore[operator] # pytest-django's
        found = services.sign_tokens(*begun)

    claims = keys.read_id_token(found.id_token, audience=client.client_id)
    assert claims
    assert (claims["sub"], claims["phone_number"]) == (str(user.id), factories.PHONE)


@pytest.mark.parametrize("phone", ["", factories.PHONE])
def test_with_and_without_it_the_claims_are_the_same(client: Client, user: User, phone: str) -> None:
    """What the caller did not say is read when it is wanted."""
    begun = services.issue_tokens(
        client=client,
        login=a_login(user),
        scopes=["openid", "phone", "profile"],
        issuer=ISSUER,
        phone=phone,
    )

    claims = keys.read_id_token(services.sign_tokens(*begun).id_token, audience=client.client_id)

    assert claims
    assert claims["phone_number"] == factories.PHONE
    assert claims["updated_at"] == int(user.created_at.timestamp())
