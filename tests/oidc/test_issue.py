"""The tokens of a login without a browser: the same rows in one statement and in the portable form."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.models import Model
from django.utils import timezone

from core import sql
from core.config_version import pinned
from core.ids import new_id
from core.redis import redis_client
from oidc import claims, issue, keys, policy, services, tokens
from oidc.models import AccessToken, Client, RefreshToken, TokenFamily
from oidc.types import Login
from otp.store import verify
from projects.config import ProjectConfig
from tests import factories
from users import amr
from users.models import User, session_hash

pytestmark = pytest.mark.django_db

TOKENS: tuple[type[Model], ...] = (TokenFamily, AccessToken, RefreshToken)
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


def begin(client: Client, user: User, scopes: Sequence[str] = ("openid", "phone")) -> issue.NewTokens:
    """Tokens of a login, stored in the portable form."""
    new = issue.new_tokens(client=client, scopes=scopes, issuer=ISSUER)
    new.store(a_login(user))
    return new


def a_login(user: User, **more: object) -> Login:
    values: dict[str, object] = {
        "user_id": user.id,
        "sid": None,
        "auth_time": timezone.now(),
        "amr": ("otp", "sms"),
        "session_hash": session_hash(password="", session_salt=user.session_salt),
    }
    return Login(**(values | more))  # type: ignore[arg-type] # as given


def as_query(
    new: issue.NewTokens, user: User, *, now: datetime, sms_sent: bool, signs_in: bool = True
) -> None:
    """The same as a query of the statement that judges a code."""
    opened = """WITH opened AS (
      SELECT %(user)s::uuid AS user_id, %(hash)s AS session_hash, %(sms)s AS sms_sent WHERE %(signs_in)s
    )
SELECT 1"""
    hashed = session_hash(password="", session_salt=user.session_salt)
    own = {"user": user.id, "hash": hashed, "sms": sms_sent, "now": now, "signs_in": signs_in}
    queries = new.queries()
    sql.value(sql.extended(opened, queries.text), {**own, **queries.parameters})


def test_the_rows_are_those_of_a_family_that_was_given_its_tokens(client: Client, user: User) -> None:
    new = begin(client, user)

    stored = TokenFamily.objects.get()
    assert (stored.id, stored.client_id, stored.user_id) == (new.family_id, client.pk, user.id)
    assert stored.used_at == stored.created_at == stored.auth_time
    assert (stored.sid, stored.scope, stored.amr) == (stored.id, "openid phone", ["otp", "sms"])
    assert stored.expires_at - stored.created_at == policy.FAMILY_VALID
    first, second = AccessToken.objects.get(), RefreshToken.objects.get()
    assert bytes(first.token_hash) == tokens.hash_token(new.access_token)
    assert (first.family_id, first.scope) == (stored.id, "openid phone")
    assert first.expires_at - first.created_at == policy.ACCESS_VALID == timedelta(hours=1)
    assert bytes(second.token_hash) == tokens.hash_token(new.refresh_token)
    assert (second.family_id, second.used_at) == (stored.id, None)


def rows() -> list[Any]:
    """Every row of a login's tokens."""
    return [row for model in TOKENS for row in model._default_manager.values()]


@pytest.mark.postgres
@pytest.mark.parametrize("sms_sent", [True, False])
def test_both_forms_write_the_same_rows(client: Client, user: User, sms_sent: bool) -> None:
    new = issue.new_tokens(client=client, scopes=["openid", "phone"], issuer=ISSUER)
    login = a_login(user, amr=amr.methods(sms_sent=sms_sent))
    new.store(login)
    portable = rows()
    TokenFamily.objects.all().delete()

    as_query(new, user, now=login.auth_time, sms_sent=sms_sent)

    assert rows() == portable
    assert len(portable) == 3


@pytest.mark.postgres
def test_a_code_that_signs_nobody_in_stores_no_tokens(client: Client, user: User) -> None:
    new = issue.new_tokens(client=client, scopes=["openid"], issuer=ISSUER)

    as_query(new, user, now=timezone.now(), sms_sent=False, signs_in=False)

    assert rows() == []


def test_no_parameter_of_it_is_one_of_the_judgement(client: Client) -> None:
    """Both are parameters of one statement."""
    new = issue.new_tokens(client=client, scopes=["openid"], issuer=ISSUER)

    named = set(re.findall(r"%\((\w+)\)s", verify._VERIFY))

    assert "now" in named
    assert named.isdisjoint(new.queries().parameters)


def test_issued_tokens_are_found_like_all_others(client: Client, user: User) -> None:
    new = begin(client, user)

    access = tokens.find_access(new.access_token, project_id=client.project_id)
    renewable = tokens.find_refresh(new.refresh_token, client=client)
    assert access
    assert renewable
    assert access.family_id == renewable.id == new.family_id
    assert tokens.renew(new.refresh_token, renewable, scope=new.scope) == "openid phone"


def test_storing_joins_the_callers_transaction(client: Client, user: User) -> None:
    with transaction.atomic():
        begin(client, user)
        transaction.set_rollback(True)

    assert rows() == []


def test_tokens_need_an_existing_user(client: Client, user: User) -> None:
    new = issue.new_tokens(client=client, scopes=["openid"], issuer=ISSUER)

    with transaction.atomic():
        new.store(a_login(user, user_id=new_id()))
        with pytest.raises(IntegrityError):
            connection.check_constraints()
        transaction.set_rollback(True)


def test_two_logins_share_nothing(client: Client) -> None:
    first, second = (issue.new_tokens(client=client, scopes=["openid"], issuer=ISSUER) for _ in range(2))

    values = [first.access_token, first.refresh_token, second.access_token, second.refresh_token]
    assert len(set(values)) == 4
    assert first.family_id != second.family_id
    assert not [value for value in values if value in repr([first, second])]


@pytest.mark.parametrize("scopes", [["openid", "phone"], ["openid"], ["openid", "phone", "offline_access"]])
def test_the_answer_needs_no_query_and_says_what_other_id_tokens_say(
    client: Client, user: User, scopes: list[str], django_assert_num_queries: object
) -> None:
    keys.sign({}, algorithm="ES256")
    keys.key_ring()
    new, login = begin(client, user, scopes), a_login(user)

    with pinned(), django_assert_num_queries(0 if redis_client() else 1):  # type: ignore[operator] # pytest-django's
        signed = services.sign_tokens(
            new, user_id=user.id, phone=factories.PHONE, auth_time=login.auth_time, amr=login.amr
        )

    found = keys.read_id_token(signed.id_token, audience=client.client_id)
    assert found
    family = TokenFamily.objects.get()
    assert found == claims.id_token(
        issuer=family.issuer,
        client_id=client.client_id,
        auth_time=login.auth_time,
        amr=family.amr,
        sid=family.sid,
        user=claims.of_user(family.user, scopes),
        now=datetime.fromtimestamp(found["iat"], tz=UTC),
    )
    assert (found["sub"], found.get("phone_number")) == (
        str(user.id), factories.PHONE if "phone" in scopes else None,
    )  # fmt: skip
    assert (signed.access_token, signed.refresh_token) == (new.access_token, new.refresh_token)
    assert (signed.scope, signed.expires_in) == (" ".join(scopes), 3600)
