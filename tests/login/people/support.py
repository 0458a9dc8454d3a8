"""A person as the product sees them: a row, a browser, tokens at an application."""

from dataclasses import dataclass
from typing import Any

from tests import factories
from tests.oidc.app import App
from users.models import User

THIRD_PHONE = "+85251234999"


@dataclass
class Member:
    app: App
    tokens: dict[str, Any]

    @property
    def user(self) -> User:
        return User.objects.get(id=self.sub)

    @property
    def sub(self) -> str:
        return str(self.app.claims(self.tokens["id_token"])["sub"])

    @property
    def works(self) -> dict[str, bool]:
        """What still opens something."""
        return {
            "session": self.app.browser.is_signed_in,
            "access token": self.app.userinfo(self.tokens["access_token"]).status_code == 200,
            "refresh token": self.app.refresh(self.tokens["refresh_token"]).status_code == 200,
        }


NOTHING = {"session": False, "access token": False, "refresh token": False}


def other_user(member: Member, phone: str = factories.OTHER_PHONE, **fields: Any) -> User:
    """Another user of the same project."""
    return User.objects.create(**{"project_id": member.user.project_id, "phone": phone} | fields)
