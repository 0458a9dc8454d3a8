"""The processes as their image runs them: nothing installed but requirements/base.txt, health checks by address."""

import re
import subprocess
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

import httpx
import pytest

from scripts.services import free_port
from tests.live.site import Meet, Site
from tests.processes import ROOT, clean_environment, until

pytestmark = [
    pytest.mark.processes,
    pytest.mark.postgres,
    pytest.mark.django_db,
    pytest.mark.xdist_group("serve"),
]
TOKEN = "a-token-of-this-test"


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def not_in_the_image() -> set[str]:
    """Modules of this environment whose package requirements/base.txt does not list."""
    text = (ROOT / "requirements" / "base.txt").read_text()
    listed = {canonical(name) for name in re.findall(r"^([A-Za-z0-9_.-]+)==", text, flags=re.MULTILINE)}
    return {
        module
        for module, names in packages_distributions().items()
        if not listed & {canonical(name) for name in names}
    }


def healthy(address: str, **environment: str) -> bool:
    command = [sys.executable, "scripts/healthcheck.py", *([address] if address else [])]
    done = subprocess.run(
        command, cwd=ROOT, env=clean_environment(**environment), check=False, capture_output=True
    )
    return done.returncode == 0


@pytest.fixture
def image(site: Site) -> Site:
    blocked = not_in_the_image()
    assert {"pytest", "mypy", "playwright"} <= blocked
    assert not {"django", "kombu", "redis", "packaging"} & blocked
    site.environment |= {
        "ALLOWED_HOSTS": "localhost",  # and no address: health checks and Prometheus come by one
        "AUTHSVC_METRICS_NETWORKS": "10.0.0.0/8",
        "AUTHSVC_METRICS_TOKEN": TOKEN,
        "METRICS_PORT": str(free_port()),
        "PYTHONPATH": str(Path(__file__).parent / "only_base"),
        "BLOCKED_MODULES": ",".join(sorted(blocked)),
    }
    return site


def test_it_serves_logins_and_passes_its_health_checks(image: Site, meet: Meet) -> None:
    with image.serving("web"), image.serving("worker") as worker:
        until(lambda: worker.has("ready."), "the worker", 30)
        person = meet("+85251239001")
        assert person.ask_for_code().status_code == 302
        assert person.type_code(person.wait_for_code("whatsapp")).status_code == 302
        doctor = image.ask("doctor", "--skip", "senders")

        assert doctor.returncode == 0, doctor.stdout
        assert healthy("", PORT=str(image.ports.web))
        assert healthy(f"http://127.0.0.1:{image.environment['METRICS_PORT']}/metrics")
        by_address = f"http://127.0.0.1:{image.ports.web}/metrics"
        assert httpx.get(by_address).status_code == 404
        assert httpx.get(by_address, headers={"Authorization": f"Bearer {TOKEN}"}).status_code == 200
    assert not healthy("", PORT=str(image.ports.web))
