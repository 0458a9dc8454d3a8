"""Compares what the providers were asked to send with the database: nothing lost, doubled or late."""

import base64
import re
import time
import uuid
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import psycopg

from otp import codes
from simulator.handsets.messages import Send
from tests.faults.load import Login
from tests.faults.stack import OTP_KEY, Stack

# A message whose call had begun when its challenge was answered is not "after the login".
UNDER_WAY = timedelta(seconds=1)
# WhatsApp sends our delivery id along, Twilio repeats it in the callback's address.
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


@dataclass(frozen=True, kw_only=True)
class Row:
    """The verdict of one scenario: one line of the table in docs/reliability.md."""

    scenario: str
    started: int  # challenges in the database
    delivered: int  # of these, those whose code reached the handset
    logged_in: int
    lost: int  # open challenges whose code reached no handset
    sms: int  # automatic SMS
    second_sms: int  # challenges with more than one of them
    crashes: int  # calls whose worker died, or whose outcome could not be stored
    doubled: int  # messages beyond those that deliveries stand for
    explained: int  # of these, by a worker or a database that died inside the call
    after_login: int
    unanswered: int  # people who gave up
    broken: int  # answers worse than a clear page
    slowest: float  # seconds from the first click to the code, of the person who waited longest
    quiet_after: float  # seconds from recovery until nothing was due any more; -1: never within the time

    @property
    def is_good(self) -> bool:
        wrong = (self.lost, self.second_sms, self.after_login, self.doubled - self.explained)
        return not any(wrong) and 0 <= self.quiet_after <= 30


@dataclass
class Ledger:
    stack: Stack
    notes: list[str] = field(default_factory=list)

    def query(self, statement: str) -> list[dict[str, Any]]:
        with psycopg.connect(self.stack.url) as connection:
            cursor = connection.execute(statement)
            names = [column.name for column in cursor.description or ()]
            return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    def wait_quiet(self, seconds: float = 30) -> float:
        """How long it took until no open challenge had a delivery that waits for us; -1: it did not happen."""
        begun = time.monotonic()
        while time.monotonic() - begun < seconds:
            if not self._open_work():
                return time.monotonic() - begun
            time.sleep(0.2)
        self.notes.append(f"still due: {self._open_work()}")
        return -1

    def _open_work(self) -> list[dict[str, Any]]:
        return self.query(
            "SELECT d.id, d.channel, d.status, d.reason, d.tries, d.crashes, d.due_at - now() AS due_in "
            "FROM otp_delivery d JOIN otp_challenge c ON c.id = d.challenge_id "
            "WHERE (d.status IN (0, 1) AND c.verified_at IS NULL AND c.ended_at IS NULL) OR c.verified_at IS NULL "
            "AND (d.due_at < now() - interval '2 seconds' OR d.status IN (4, 5) AND d.due_at IS NOT NULL)"
        )

    def sends(self) -> list[Send]:
        everything = self.stack.simulator.simulator.state.sends(channel=None, to=None, after=0)
        return [send for _, send in everything]

    def close(self, scenario: str, logins: Sequence[Login], *, quiet_after: float) -> Row:
        challenges = self.query("SELECT * FROM otp_challenge ORDER BY id")
        deliveries = self.query("SELECT * FROM otp_delivery ORDER BY id")
        accepted = [send for send in self.sends() if send.outcome == "accepted"]
        lost = self._lost(challenges)
        doubled, explained = self._doubled(deliveries, accepted)
        fallbacks = Counter(item["challenge_id"] for item in deliveries if item["cause"] == "fallback")
        broken = Counter(word for login in logins for word in login.broken)
        if broken:
            self.notes.append(f"broken answers: {dict(broken)}")
        return Row(
            scenario=scenario,
            started=len(challenges),
            delivered=len(challenges) - len(lost),
            logged_in=sum(1 for item in challenges if item["verified_at"]),
            lost=sum(1 for item in lost if item["ended_at"] is None),
            sms=sum(fallbacks.values()),
            second_sms=sum(1 for count in fallbacks.values() if count > 1),
            crashes=sum(item["crashes"] for item in deliveries),
            doubled=doubled,
            explained=explained,
            after_login=self._after_login(challenges, accepted),
            unanswered=sum(1 for login in logins if login.done_after is None),
            broken=sum(broken.values()),
            slowest=round(max((login.code_after or 0.0 for login in logins), default=0.0), 1),
            quiet_after=round(quiet_after, 1),
        )

    def _code(self, challenge: dict[str, Any]) -> str:
        return codes.derive(
            challenge_id=challenge["id"],
            key_id=challenge["key_id"],
            length=challenge["code_length"],
            keys={"k1": base64.b64decode(OTP_KEY)},
        )

    def _lost(self, challenges: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
        """Challenges whose code is on no handset."""
        state = self.stack.simulator.simulator.state
        missing = []
        for challenge in challenges:
            shown = {message.code for message in state.shown_messages(challenge["phone"])}
            if self._code(challenge) not in shown:
                missing.append(challenge)
                if challenge["ended_at"] is None:
                    self.notes.append(f"lost: challenge {challenge['id']}")
        return missing

    def _doubled(self, deliveries: Sequence[dict[str, Any]], accepted: Sequence[Send]) -> tuple[int, int]:
        """Accepted messages beyond one for each delivery, and how many of them a crash inside the call explains."""
        taken = Counter(
            uuid.UUID(match[0]) for send in accepted if (match := _UUID.search(send.reference or ""))
        )
        doubled = explained = 0
        for delivery in deliveries:
            extra = max(taken[delivery["id"]] - 1, 0)
            doubled += extra
            explained += min(extra, delivery["crashes"])
            if extra > delivery["crashes"]:
                self.notes.append(f"doubled: {delivery}")
        return doubled, explained

    def _after_login(self, challenges: Sequence[dict[str, Any]], accepted: Sequence[Send]) -> int:
        count = 0
        for challenge in challenges:
            verified: datetime | None = challenge["verified_at"]
            if verified is None:
                continue
            code = self._code(challenge)
            late = [
                send
                for send in accepted
                if send.to == challenge["phone"] and send.code == code and send.at > verified + UNDER_WAY
            ]
            count += len(late)
            if late:
                self.notes.append(f"after the login: {challenge['id']}")
        return count
