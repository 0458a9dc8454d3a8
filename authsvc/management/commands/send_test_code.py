"""`manage.py send_test_code +85251234567`: one real message, followed until it arrives."""

import sys
from typing import Any, NoReturn

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser

from channels.types import Channel
from otp import services, trial
from otp.errors import OtpError, RateLimited
from projects.config import ProjectConfig, projects
from users.phones import InvalidPhone, parse

NOT_ARRIVED, NOT_STARTED = 1, 2


class Command(BaseCommand):
    help = (
        "Sends a code as a login would, limits and fallback included, and shows what becomes of it. The code logs "
        "nobody in. Exit 0: it arrived; 1: it did not, or nobody reported; 2: it was not sent."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("phone", help="in E.164: +85251234567")
        parser.add_argument("--project", default="", help="a project's slug; else the default project")
        parser.add_argument(
            "--channel", choices=[item.value for item in Channel], help="this one and no other"
        )
        parser.add_argument("--language", default="en")
        parser.add_argument("--wait", type=float, default=90.0, help="seconds to wait for news (90)")

    def handle(self, *_args: Any, **options: Any) -> None:  # noqa: ANN401 # Django's signature
        project = self._project(options["project"])
        channel = Channel(options["channel"]) if options["channel"] else None
        try:
            challenge_id = trial.start(
                project=project,
                phone=parse(options["phone"], country=""),
                language=options["language"],
                origin=settings.AUTHSVC_PUBLIC_URL or "http://localhost",
                channel=channel,
            )
        except InvalidPhone as error:
            self._stop(f"not a number that can be sent to: {error.problem.value}")
        except RateLimited as error:
            self._stop(f"the limits of this number are reached: try again in {error.wait_seconds} s")
        except OtpError as error:
            self._stop(f"not sent: {error.code} {error}".rstrip())
        try:
            verdict = trial.follow(challenge_id, seconds=options["wait"], tell=self._tell)
        finally:
            services.cancel(challenge_id=challenge_id)  # nothing more is sent, whatever ended this
        self._say(verdict)
        sys.exit(0 if verdict.arrived else NOT_ARRIVED)

    def _project(self, slug: str) -> ProjectConfig:
        known = projects.get()
        if not slug:
            return known.default or self._stop("there is no default project: name one with --project")
        found = next((item for item in known.by_id.values() if item.slug == slug), None)
        return found or self._stop(f"there is no project {slug}")

    def _tell(self, step: trial.Step) -> None:
        reason = f" ({step.delivery.reason})" if step.delivery.reason else ""
        self.stdout.write(
            f"{step.seconds:6.1f} s  {step.delivery.channel:<8}  {step.delivery.status.word}{reason}"
        )
        self.stdout.flush()

    def _say(self, verdict: trial.Verdict) -> None:
        if verdict.arrived:
            self.stdout.write(f"arrived by {verdict.arrived}")
        elif verdict.accepted:
            self.stdout.write(
                "accepted, but no delivery report came: look at the handset, and at the webhook with manage.py doctor"
            )
        else:
            self.stdout.write("not delivered: manage.py doctor may tell why")

    def _stop(self, text: str) -> NoReturn:
        self.stderr.write(text)
        sys.exit(NOT_STARTED)
