"""Signing keys in the admin: which there are, a new one by a button, and no way to see or lose one."""

from typing import Any

import jwt
import pytest
from cryptography.fernet import Fernet
from django.contrib.auth.models import Permission
from django.test import Client as Browser
from django.urls import reverse
from django.utils import formats
from pytest_django import Settings

from audit.models import AuditEvent
from core import config_version
from core.config_models import ConfigVersion
from core.fields import UnreadableSecret
from oidc import keys, policy, retention, tokens
from oidc.models import SigningKey
from projects.config import ProjectConfig
from tests import factories
from tests.clock import later
from tests.console.client_pages import sign_in
from users.models import User

pytestmark = pytest.mark.django_db
LIST = "admin:oidc_signingkey_changelist"
ROTATE = "admin:oidc_signingkey_rotate"
DAY = 86400


def rotate(staff: Browser, algorithm: str = "RS256") -> str:
    return staff.post(reverse(ROTATE), {"algorithm": algorithm}, follow=True).content.decode()


def published(browser: Browser) -> dict[str, dict[str, Any]]:
    answer = browser.get("/.well-known/jwks.json")
    return {key["kid"]: key for key in answer.json()["keys"]}


def signing_kid(algorithm: str = "RS256") -> str:
    return str(jwt.get_unverified_header(keys.sign({"iss": "x"}, algorithm=algorithm))["kid"])


def a_login(project: ProjectConfig) -> tuple[str, str]:
    """A person's ID token and access token."""
    found = sign_in(factories.make_client(project))
    return found.id_token, found.access_token


def test_after_a_rotation_old_tokens_verify_and_new_ones_bear_the_new_key(
    staff: Browser, project: ProjectConfig
) -> None:
    """J12"""
    id_token, access_token = a_login(project)
    old = signing_kid()

    page = rotate(staff)

    new = signing_kid()
    assert new != old
    assert f"{new} is now the active key" in page
    shown = published(staff)
    assert set(shown) == {old, new}
    for kid, token in ((old, id_token), (new, keys.sign({"iss": "x", "aud": "acme-web"}))):
        assert jwt.get_unverified_header(token)["kid"] == kid
        assert jwt.decode(token, jwt.PyJWK(shown[kid]), audience="acme-web")
    assert tokens.find_access(access_token, project_id=project.id)
    assert not {"d", "p", "q", "dp", "dq", "qi", "k"} & {name for key in shown.values() for name in key}


def test_another_algorithm_has_keys_of_its_own(staff: Browser) -> None:
    rsa = signing_kid()

    rotate(staff, "ES256")

    assert signing_kid() == rsa
    shown = published(staff)
    assert {key["alg"] for key in shown.values()} == {"RS256", "ES256"}
    assert shown[signing_kid("ES256")]["crv"] == "P-256"


def states(staff: Browser) -> list[str]:
    cl = staff.get(reverse(LIST)).context["cl"]
    return [cl.model_admin.state(row) for row in cl.result_list]


def test_the_list_says_what_each_key_is_for_until_when(staff: Browser) -> None:
    signing_kid()
    assert states(staff) == ["active"]

    with later(10 * DAY):
        rotate(staff)
        assert [line.split(" until")[0] for line in states(staff)] == ["active", "published"]
    with later(10 * DAY + policy.KEY_PUBLISHED_AFTER.total_seconds() + 1):
        assert [line.split(" until")[0] for line in states(staff)] == [
            "active",
            "kept to verify old ID token hints",
        ]
        assert len(published(staff)) == 1
        page = staff.get(reverse(LIST)).content.decode()
    until = SigningKey.objects.order_by("-created_at")[0].created_at + policy.KEY_KEPT
    assert f"kept to verify old ID token hints until {formats.date_format(until, 'DATE_FORMAT')}" in page


def test_a_key_is_kept_for_ninety_days_after_it_signed_last(staff: Browser) -> None:
    """J12: not after it was made, or it would go in the minute after the rotation."""
    old = signing_kid()

    with later(200 * DAY):
        keys.rotate("RS256")
        retention.purge()
        assert old in published(staff)
        assert keys.key_ring().keys[-1].kid == old
    with later(289 * DAY):
        retention.purge()
        assert SigningKey.objects.filter(kid=old).exists()
    with later(291 * DAY):
        assert retention.purge()["signing_keys"] == 1
        assert list(SigningKey.objects.values_list("kid", flat=True)) == [signing_kid()]


def test_the_key_that_the_settings_name_does_not_come_back_to_sign(
    staff: Browser, settings: Settings
) -> None:
    signing_kid()
    settings.AUTHSVC_OIDC_KEY = SigningKey.objects.get().pem
    rotate(staff)
    new = signing_kid()

    with later(100 * DAY):
        retention.purge()
        assert signing_kid() == new
        assert SigningKey.objects.count() == 2


# What is not allowed ------------------------------------------------------------------------------------


def test_no_page_shows_a_private_key(staff: Browser) -> None:
    """K3"""
    rotate(staff)
    row = SigningKey.objects.get()
    secret = row.pem.splitlines()[2]

    for name, args in ((LIST, []), *((f"admin:oidc_signingkey_{page}", [row.pk]) for page in ("change", "history"))):  # fmt: skip
        page = staff.get(reverse(name, args=args))
        assert page.status_code == 200
        assert "PRIVATE KEY" not in page.content.decode()
        assert secret not in page.content.decode()
    assert "PRIVATE" not in str(list(AuditEvent.objects.values()))


def test_a_rotation_is_in_the_history(staff: Browser) -> None:
    """K6"""
    rotate(staff)

    event = AuditEvent.objects.get()
    row = SigningKey.objects.get()
    assert (event.object_id, event.object_name, event.kind) == (str(row.pk), row.kid, "key.created")


@pytest.mark.parametrize(
    ("page", "method"), [("add", "get"), ("add", "post"), ("delete", "get"), ("delete", "post")]
)
def test_keys_cannot_be_typed_or_deleted(page: str, method: str, staff: Browser) -> None:
    rotate(staff)
    row = SigningKey.objects.get()
    path = reverse(f"admin:oidc_signingkey_{page}", args=[] if page == "add" else [row.pk])

    assert getattr(staff, method)(path, {"post": "yes"}).status_code == 403
    assert staff.post(reverse("admin:oidc_signingkey_change", args=[row.pk]), {"kid": "x"}).status_code == 403
    assert list(SigningKey.objects.values_list("kid", flat=True)) == [row.kid]


@pytest.mark.parametrize("algorithm", ["", "HS256", "none", "RS256\0"])
def test_an_algorithm_that_is_not_offered_makes_no_key(algorithm: str, staff: Browser) -> None:
    assert "No key was created" in rotate(staff, algorithm)
    assert not SigningKey.objects.exists()


def test_a_link_makes_no_key(staff: Browser) -> None:
    assert staff.get(reverse(ROTATE), {"algorithm": "RS256"}).status_code == 405
    strict = Browser(enforce_csrf_checks=True)
    strict.force_login(User.objects.get(username="ops"))

    assert strict.post(reverse(ROTATE), {"algorithm": "RS256"}).status_code == 403
    assert not SigningKey.objects.exists()


def test_the_button_posts_with_its_token(staff: Browser) -> None:
    page = staff.get(reverse(LIST)).content.decode()

    form = page[page.index(reverse(ROTATE)) :]
    assert "csrfmiddlewaretoken" in form[: form.index("</form>")]
    assert 'value="RS256"' in form
    assert 'value="ES256"' in form


def test_viewers_cannot_create_a_key(client: Browser, project: ProjectConfig) -> None:
    """K4"""
    support = User.objects.create_user(username="support", password="a-long-password-here")
    support.user_permissions.add(Permission.objects.get(codename="view_signingkey"))
    client.force_login(support)

    page = client.get(reverse(LIST))
    assert page.status_code == 200
    assert reverse(ROTATE) not in page.content.decode()
    assert client.post(reverse(ROTATE), {"algorithm": "RS256"}).status_code == 403
    client.force_login(User.objects.create(project_id=project.id, phone=factories.PHONE))
    assert client.post(reverse(ROTATE), {"algorithm": "RS256"}).status_code == 302
    assert not SigningKey.objects.exists()


def test_after_the_loss_of_the_encryption_key_a_new_key_by_the_button_signs(
    staff: Browser, settings: Settings
) -> None:
    """Nothing is made by itself: a process with a wrong encryption key must not replace what the others use."""
    rotate(staff)
    row = SigningKey.objects.get()
    settings.AUTHSVC_ENCRYPTION_KEYS = [Fernet.generate_key().decode()]
    keys._loaded.clear()
    version = ConfigVersion.objects.get().value

    with pytest.raises(UnreadableSecret):
        signing_kid()
    assert published(staff) == {}
    assert (SigningKey.objects.count(), ConfigVersion.objects.get().value) == (1, version)
    assert row.kid in staff.get(reverse(LIST)).content.decode()
    assert staff.get(reverse("admin:oidc_signingkey_change", args=[row.pk])).status_code == 200

    assert "is now the active key" in rotate(staff)
    assert list(published(staff)) == [signing_kid()]
    assert signing_kid() != row.kid


def test_a_key_that_the_settings_hold_signs_whatever_the_encryption_key(settings: Settings) -> None:
    first = signing_kid()
    settings.AUTHSVC_OIDC_KEY = SigningKey.objects.get().pem
    settings.AUTHSVC_ENCRYPTION_KEYS = [Fernet.generate_key().decode()]
    keys._loaded.clear()

    assert signing_kid() == first
    assert SigningKey.objects.count() == 1


def test_a_key_that_another_process_made_a_moment_ago_signs_and_no_second_is_made() -> None:
    """Its row is there; the version that tells of it is not."""
    keys.rotate("RS256")
    row = SigningKey.objects.get()
    row.delete()
    with config_version.pinned():
        assert keys._loaded.get().keys == ()
        SigningKey.objects.bulk_create([row])  # without a configuration version

        assert signing_kid() == row.kid
        assert [key.kid for key in keys.key_ring().keys] == [row.kid]
    assert SigningKey.objects.count() == 1
