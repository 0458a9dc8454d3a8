"""Users: who may exist, what ends their sessions, and how `amr` names their login."""

import hashlib
import threading

import pytest
from django.conf import LazySettings
from django.db import IntegrityError, transaction
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from projects.config import ProjectConfig
from tests import factories
from users import amr, hashing, services
from users.models import User, session_hash, session_hash_pads

pytestmark = pytest.mark.django_db


@pytest.fixture
def project() -> ProjectConfig:
    return factories.make_project()


@pytest.fixture
def person(project: ProjectConfig) -> User:
    return User.objects.create(project_id=project.id, phone=factories.PHONE)


@pytest.mark.parametrize(("sms_sent", "methods"), [(True, ("otp", "sms")), (False, ("otp",))])
def test_amr_names_sms_only_if_an_sms_carried_the_code(sms_sent: bool, methods: tuple[str, ...]) -> None:
    assert amr.methods(sms_sent=sms_sent) == methods


def test_staff_need_a_username() -> None:
    with pytest.raises(ValueError, match="username"):
        User.objects.create_user("", "secret")


def test_staff_have_a_username_and_a_password() -> None:
    staff = User.objects.create_user("ann", "a long secret")

    assert (staff.is_staff, staff.is_superuser, str(staff)) == (True, False, "ann")
    assert staff.check_password("a long secret")
    assert User.objects.create_superuser("root", "a long secret").is_superuser


@pytest.mark.parametrize(
    "fields",
    [
        {"phone": factories.PHONE},
        {"phone": factories.PHONE, "username": "ann"},
        {"username": "ann", "is_staff": False},
        {"username": "ann", "is_staff": True, "phone": factories.PHONE},
        {"phone": None, "username": None},
    ],
    ids=["without a project", "with a username", "not staff", "staff with a number", "nothing"],
)
def test_a_user_is_a_person_or_staff(fields: dict[str, object]) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        User.objects.create(**fields)


def test_a_number_is_one_user_in_each_project(project: ProjectConfig, person: User) -> None:
    other = factories.make_project(slug="other", is_default=False)

    assert User.objects.create(project_id=other.id, phone=person.phone).id != person.id
    with pytest.raises(IntegrityError), transaction.atomic():
        User.objects.create(project_id=project.id, phone=person.phone)


def test_a_person_prints_an_id_not_a_number(person: User) -> None:
    assert str(person) == str(person.id)


def test_ending_all_sessions_changes_the_hash_of_this_user_only(project: ProjectConfig, person: User) -> None:
    other = User.objects.create(project_id=project.id, phone=factories.OTHER_PHONE)
    before, before_other = person.get_session_auth_hash(), other.get_session_auth_hash()

    services.end_all_sessions(user_id=person.id)

    person.refresh_from_db()
    other.refresh_from_db()
    assert person.get_session_auth_hash() != before
    assert other.get_session_auth_hash() == before_other


@pytest.mark.parametrize("active", [True, False])
def test_blocking_and_allowing_end_sessions(active: bool, person: User) -> None:
    before = person.get_session_auth_hash()

    services.set_active(user_id=person.id, active=active)

    person.refresh_from_db()
    assert person.is_active is active
    assert person.get_session_auth_hash() != before


def test_the_session_hash_depends_on_password_and_salt() -> None:
    hashes = {session_hash(password=password, session_salt=salt) for password in "ab" for salt in "xy"}

    assert len(hashes) == 4
    assert all(len(text) == 64 for text in hashes)


@given(
    password=st.text(max_size=100),
    session_salt=st.text(max_size=32),
    secret_key=st.text(min_size=1),
)
@examples(suppress_health_check=list(HealthCheck))
def test_the_pads_are_those_of_the_hash(
    password: str, session_salt: str, secret_key: str, settings: LazySettings
) -> None:
    """So PostgreSQL computes the same (otp/store/verify.sql)."""
    settings.SECRET_KEY = secret_key
    inner, outer = session_hash_pads()

    text = f"{session_salt}:{password}".encode()
    hashed = hashlib.sha256(outer + hashlib.sha256(inner + text).digest()).hexdigest()

    assert (len(inner), len(outer)) == (64, 64)
    assert hashed == session_hash(password=password, session_salt=session_salt)


def test_there_are_no_fallback_hashes(person: User) -> None:
    assert person.get_session_auth_fallback_hash() == []


def test_a_slot_is_free_again_after_an_error() -> None:
    for _ in range(3):
        with pytest.raises(RuntimeError), hashing.slot(unknown_browser=True):
            raise RuntimeError

    with hashing.slot(unknown_browser=True):
        pass


def test_a_hash_without_a_slot_waits_for_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hashing, "_MAX_WAIT_SECONDS", 0.01)
    hasher, errors = hashing.BoundedHasher(), list[BaseException]()

    def encode() -> None:
        try:
            hasher.encode("secret", "salt", 1)
        except hashing.Busy as error:
            errors.append(error)

    with hashing.slot(unknown_browser=False), hashing.slot(unknown_browser=False):
        thread = threading.Thread(target=encode)
        thread.start()
        thread.join()

    assert len(errors) == 1
    assert hasher.encode("secret", "salt", 1) == hasher.encode("secret", "salt", 1)
