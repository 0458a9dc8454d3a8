"""Django's database sessions over our own table (SESSION_ENGINE). Only rows are ours; the engine is Django's."""

from typing import Any

from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore as DatabaseStore

from login.models import Session


class SessionStore(DatabaseStore):
    @classmethod
    def get_model_class(cls) -> type[Session]:
        return Session

    def create_model_instance(self, data: dict[str, Any]) -> Session:
        """Also names the owner, which Django keeps inside the signed data only."""
        instance = super().create_model_instance(data)
        assert isinstance(instance, Session)  # noqa: S101 # what get_model_class returns
        instance.user_id = data.get(SESSION_KEY)
        return instance
