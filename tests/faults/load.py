"""People who log in: each starts, reads the code from the handset and types it, and tries again as people do."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Self

import httpx

from tests.faults.stack import Stack
from tests.people import hidden_fields
from tests.processes import Ports, certificates

# What a page may answer while a store is down: a clear message, and nothing is sent.
DOWN = frozenset({503})
_PATIENCE_SECONDS = 60.0


@dataclass
class Login:
    """The login of one person. Times are seconds since their first click; None: not reached."""

    phone: str
    accepted: bool = False
    refused: int = 0  # clear pages that the service is down
    broken: list[str] = field(default_factory=list)  # anything worse
    code_after: float | None = None
    done_after: float | None = None


class Visitor:
    """One browser. Like a person's, it comes back after an error."""

    def __init__(
        self, ports: Ports, phone: str, *, deadline: float, slow: float, codes: Callable[[str], list[str]]
    ) -> None:
        self.client = httpx.Client(
            base_url=ports.base, headers={"Origin": ports.base}, timeout=15, verify=certificates()
        )
        self.codes = codes
        self.slow = slow
        self.login = Login(phone)
        self.begun = time.monotonic()
        self.deadline = deadline

    def run(self) -> Login:
        try:
            if self._ask():
                self._answer()
        finally:
            self.client.close()
        return self.login

    def _try(self, request: Callable[[], httpx.Response]) -> httpx.Response | None:
        """The answer, or None after an error; then it waits a moment."""
        try:
            answer = request()
        except httpx.HTTPError as error:
            self.login.broken.append(type(error).__name__)
        else:
            if answer.status_code < 500:
                return answer
            if answer.status_code in DOWN:
                self.login.refused += 1
            else:
                self.login.broken.append(f"{answer.request.url.path} {answer.status_code}")
        time.sleep(0.5)
        return None

    def _ask(self) -> bool:
        while time.monotonic() < self.deadline:
            page = self._try(lambda: self.client.get("/login/"))
            if page is None:
                continue
            fields = {**hidden_fields(page.text), "country": "HK", "phone": self.login.phone}
            answer = self._try(lambda fields=fields: self.client.post("/login/", data=fields))  # type: ignore[misc] # a default
            if answer is not None and answer.status_code == 302:
                self.login.accepted = True
                return True
            if answer is not None:
                self.login.broken.append(f"refused: {answer.status_code}")
                time.sleep(0.5)
        return False

    def _answer(self) -> None:
        while time.monotonic() < self.deadline:
            typed = set[str]()
            for code in self.codes(self.login.phone):
                if self.login.code_after is None:
                    self.login.code_after = time.monotonic() - self.begun
                    time.sleep(self.slow)
                if code not in typed and self._type(code):
                    self.login.done_after = time.monotonic() - self.begun
                    return
                typed.add(code)
            time.sleep(0.1)

    def _type(self, code: str) -> bool:
        page = self._try(lambda: self.client.get("/login/code/"))
        if page is None:
            return False
        if page.status_code == 302:  # the last try succeeded although its answer was lost
            return "/account/" in page.headers["location"]
        token = hidden_fields(page.text).get("csrfmiddlewaretoken", "")
        data = {"csrfmiddlewaretoken": token, "code": code}
        answer = self._try(lambda: self.client.post("/login/code/", data=data))
        return answer is not None and answer.status_code == 302


class Crowd:
    """`count` people, `per_second` of them starting each second; each types a code `slow` seconds after it came.

    Use as a context manager; leaving waits for all.
    """

    def __init__(
        self, stack: Stack, *, count: int, per_second: float, first: int = 0, slow: float = 0.0
    ) -> None:
        self.stack = stack
        self.slow = slow
        self.phones = [f"+8526{1000000 + first + nth}" for nth in range(count)]
        self.gap = 1 / per_second
        self.logins: list[Login] = []
        self._pool = ThreadPoolExecutor(max_workers=min(count, 96), thread_name_prefix="person")
        self._thread = threading.Thread(target=self._arrive, name="arrivals")
        self._running: list[Future[Login]] = []

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._thread.join()
        self.logins = [future.result() for future in self._running]
        self._pool.shutdown()

    def _arrive(self) -> None:
        begun = time.monotonic()
        for nth, phone in enumerate(self.phones):
            time.sleep(max(begun + nth * self.gap - time.monotonic(), 0))
            self._running.append(self._pool.submit(self._visit, phone))

    def _visit(self, phone: str) -> Login:
        deadline = time.monotonic() + _PATIENCE_SECONDS
        visitor = Visitor(self.stack.ports, phone, deadline=deadline, slow=self.slow, codes=self._codes)
        return visitor.run()

    def _codes(self, phone: str) -> list[str]:
        """The codes on the handset, read in this process so that the people cost less than the service."""
        messages = self.stack.simulator.simulator.state.shown_messages(phone)
        return [message.code for message in messages if message.code]
