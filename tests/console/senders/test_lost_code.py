"""A test number whose encryption key is gone: its page says that the code has to be typed anew."""

from cryptography.fernet import Fernet
from django.conf import LazySettings
from django.test import Client

from projects.config import ProjectConfig
from projects.models import TestNumber


def test_an_unreadable_code_is_typed_anew(
    staff: Client, project: ProjectConfig, settings: LazySettings
) -> None:
    number = TestNumber.objects.create(
        project_id=project.id, phone="+15005550199", code="424242", until="2999-01-01"
    )
    page = f"/admin/projects/testnumber/{number.pk}/change/"
    values = {"project": str(project.id), "phone": number.phone, "code": "", "until": "2999-01-01"}
    settings.AUTHSVC_ENCRYPTION_KEYS = [Fernet.generate_key().decode()]

    assert staff.get(page).status_code == 200
    answer = staff.post(page, values)
    assert (answer.status_code, list(answer.context["adminform"].form.errors)) == (200, ["code"])

    assert staff.post(page, values | {"code": "111111"}).status_code == 302
    assert TestNumber.objects.get().code == "111111"
