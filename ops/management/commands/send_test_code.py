"""`manage.py send_test_code +85251234567`: send one real message and watch it until it arrives."""

import sys
import time
import uuid
from argparse import ArgumentTypeError
from typing import Any, NoReturn

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser

from abuse.errors import RateLimited
from channels.types import Channel
from core.errors import DomainError
from otp import services, test_message
from projects.config import ProjectConfig, projects
from users.phones import InvalidPhone, Phone, read

NOT_DELIVERED, NOT_SENT = 1, 2
_LONGEST_WAIT = 60  # seconds
_LONGEST_WATCH = 3600  # likewise


def _seconds(text: str) -> float:
    """Raises ArgumentTypeError: `nan` and `inf` are numbers, too, and would wait for ever."""
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1
    if not 0 <= seconds <= _LONGEST_WATCH:
        raise ArgumentTypeError(f"must be seconds from 0 to {_LONGEST_WATCH}")
    return seconds


class Command(BaseCommand):
    help = (
        "Sends a code like a login, limits and fallback included, and prints each status. The code cannot log in. "
        "Exit 0: delivered; 1: not delivered, or not reported; 2: not sent."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("phone", help="in E.164: +85251234567")
        parser.add_argument("--project", default="", help="slug of a project; otherwise the default project")
        parser.add_argument(
            "--channel", choices=[item.value for item in Channel], help="use only this channel"
        )
        parser.add_argument("--language", default="en")
        parser.add_argument(
            "--wait", type=_seconds, default=90.0, help="seconds to wait for delivery reports (90)"
        )

    def handle(self, *_args: Any, **options: Any) -> None:  # noqa: ANN401 # Django's signature
        project = self._project(options["project"])
        channel = Channel(options["channel"]) if options["channel"] else None
        try:
            phone = read(options["phone"], country="")
            challenge_id = self._start(project, phone, language=options["language"], channel=channel)
        except InvalidPhone as error:
            self._stop(f"not a usable number: {error.problem.value}")
        except RateLimited as error:
            self._stop(f"this number has reached its limits: try again in {error.wait_seconds} s")
        except DomainError as error:
            self._stop(f"not sent: {error.code} {error}".rstrip())
        try:
            result = test_message.watch(challenge_id, seconds=options["wait"], report=self._print_step)
        finally:
            services.cancel(challenge_id=challenge_id)  # nothing more is sent, not even after Ctrl-C
        self._print_result(result)
        sys.exit(0 if result.arrived else NOT_DELIVERED)

    def _start(
        self, project: ProjectConfig, phone: Phone, *, language: str, channel: Channel | None
    ) -> uuid.UUID:
        """Waits once for the minimum time between two messages to a number: the runbook sends two in a row."""
        origin = settings.AUTHSVC_PUBLIC_URL or "http://localhost"
        for is_last in (False, True):
            try:
                return test_message.start(
                    project=project, phone=phone, language=language, origin=origin, channel=channel
                )
            except RateLimited as error:
                if is_last or error.wait_seconds > _LONGEST_WAIT:
                    raise
                self.stdout.write(f"waiting {error.wait_seconds} s: this number was sent a message just now")
                self.stdout.flush()
                time.sleep(error.wait_seconds)
        raise AssertionError("unreachable")

    def _project(self, slug: str) -> ProjectConfig:
        configured = projects.get()
        if not slug:
            return configured.default or self._stop("there is no default project: name one with --project")
        project = next((item for item in configured.by_id.values() if item.slug == slug), None)
        return project or self._stop(f"there is no project {slug}")

    def _print_step(self, step: test_message.Step) -> None:
        reason = f" ({step.delivery.reason})" if step.delivery.reason else ""
        self.stdout.write(
            f"{step.seconds:6.1f} s  {step.delivery.channel:<8}  {step.delivery.status.word}{reason}"
        )
        self.stdout.flush()

    def _print_result(self, result: test_message.Result) -> None:
        if result.arrived:
            self.stdout.write(f"arrived by {result.arrived}")
        elif result.accepted:
            self.stdout.write(
                "accepted, but no delivery report came: check the handset, and the webhook with ./manage.py doctor"
            )
        else:
            self.stdout.write("not delivered: ./manage.py doctor may show why")

    def _stop(self, text: str) -> NoReturn:
        self.stderr.write(text)
        sys.exit(NOT_SENT)
