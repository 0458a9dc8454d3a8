"""What staff can do to a user: its words, its permission, its form, and the domain's verb."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from console.people_forms import TAKE, ActForm, EraseForm, MergeForm, MoveForm, SessionForm
from login import erasure, people, sign_out
from users.models import User

# How long a request deletes what has no name any more; the worker deletes the rest.
_SECONDS_OF_A_REQUEST = 3.0


@dataclass(frozen=True, kw_only=True)
class Act:
    name: str  # in the address
    title: Promise
    text: Promise  # what it does to sessions, tokens, applications
    permission: str  # of the app `users`
    record: str = ""  # in the history; empty: the service that does it records it
    done: Promise
    run: Callable[[User, Mapping[str, Any]], None]
    form: type[ActForm] = ActForm
    danger: bool = False
    after: Callable[[User], None] = lambda _person: None  # for whoever ended, outside of the transaction
    offered: Callable[[User], bool] = lambda _person: True

    @property
    def has_button(self) -> bool:
        return self.form is not SessionForm


def _active(active: bool) -> Callable[[User, Mapping[str, Any]], None]:
    return lambda person, _data: sign_out.set_active(user_id=person.id, active=active)


def _finish(person: User) -> None:
    erasure.finish(user_id=person.id, seconds=_SECONDS_OF_A_REQUEST)


ACTS: dict[str, Act] = {
    act.name: act
    for act in (
        Act(
            name="sign-out",
            title=_("Sign out everywhere"),
            text=_(
                "Every session and token ends at once, and applications are told. The person can sign in again."
            ),
            permission="change_user",
            done=_("Signed out everywhere."),
            run=lambda person, _data: sign_out.end_everything(user_id=person.id),
        ),
        Act(
            name="end-session",
            title=_("End one session"),
            text=_(
                "This browser is signed out, and the applications that were signed in through it are told."
            ),
            permission="change_user",
            record="session ended",
            done=_("The session is over."),
            run=lambda person, data: sign_out.end_sessions([data["session"]], user_id=person.id),
            form=SessionForm,
        ),
        Act(
            name="block",
            title=_("Block"),
            text=_(
                "Every session and token ends at once, and applications are told. Codes for the number are still "
                "sent, but they sign nobody in until the user is unblocked."
            ),
            permission="change_user",
            done=_("Blocked, and signed out everywhere."),
            run=_active(False),
            danger=True,
            offered=lambda person: person.is_active,
        ),
        Act(
            name="unblock",
            title=_("Unblock"),
            text=_("The person can sign in again. Sessions and tokens that ended stay ended."),
            permission="change_user",
            done=_("Unblocked."),
            run=_active(True),
            offered=lambda person: not person.is_active,
        ),
        Act(
            name="move",
            title=_("Move to another number"),
            text=_(
                "The account and its id stay. Every session and token ends, and applications are told. The new number "
                "is not proven by this: make sure that it is this person's, since its holder signs in with it. The "
                "old number is free, and whoever proves it next is a new user."
            ),
            permission="move_user",
            record="moved to another number",
            done=_("The user has the new number, and is signed out everywhere."),
            run=lambda person, data: people.move(user_id=person.id, phone=data["number"]),
            form=MoveForm,
        ),
        Act(
            name="merge",
            title=_("Merge with another user"),
            text=_(
                "This user and its id stay. The other account ends: its sessions, tokens and consents are deleted and "
                "applications are told that it is signed out. What applications keep under the other id is theirs to "
                "join. If this user takes the other's number, it is signed out too. A number that is left over is free."
            ),
            permission="merge_user",
            record="merged",
            done=_("The two users are one."),
            run=lambda person, data: people.merge(
                kept_id=person.id, other_id=data["other_user"].id, take_number=data["number"] == TAKE
            ),
            after=_finish,
            form=MergeForm,
            danger=True,
        ),
        Act(
            name="erase",
            title=_("Erase"),
            text=_(
                "Sessions, tokens, consents and the number are deleted for good, and applications are told that the "
                "user is signed out. The delivery log keeps its rows under a pseudonym, without number and address. "
                "Whoever proves the number next is a new user. This cannot be undone."
            ),
            permission="delete_user",
            record="erased",
            done=_("Erased. What is left has no name, and is deleted in the background."),
            run=lambda person, _data: erasure.begin(user_id=person.id),
            after=_finish,
            form=EraseForm,
            danger=True,
        ),
    )
}
