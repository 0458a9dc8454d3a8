"""S4: no module opens connections beside the client, which checks whom it calls."""

import ast
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

# Whoever opens connections beside the client, and why that is not for addresses that people type in.
_OTHERS = {
    "core/answers.py": "the client's reader",
    "core/connections.py": "the client's connections",
    "core/http.py": "the client",
    "demo/views.py": "demo only: the simulator of the environment",
    "ops/doctor/product.py": "our own public URL, by an operator's command",
    "ops/processes.py": "our own web process, when it starts",
    "authsvc/telemetry.py": "what the operator's collector is told",
}
_OPENERS = {
    "httpx", "httpcore", "requests", "urllib3", "aiohttp", "socket", "ssl", "smtplib", "ftplib", "telnetlib", "poplib", "imaplib",
    "nntplib", "xmlrpc", "http.client", "urllib.request", "websockets", "websocket", "pycurl", "paramiko", "asyncio",
}  # fmt: skip
_SOURCE = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["coverage"]["run"]["source"]
_APPS = [name for name in _SOURCE if name != "simulator"]


def _imports(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {item.name for item in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names |= {node.module, *(f"{node.module}.{item.name}" for item in node.names)}
    return names


def test_no_other_module_opens_connections() -> None:
    """S4: a new one fails here, and says why it may or uses the client."""
    found = {
        str(path.relative_to(ROOT))
        for app in _APPS
        for path in (ROOT / app).rglob("*.py")
        if any(name == word or name.startswith(word + ".") for name in _imports(path) for word in _OPENERS)
    }

    assert found - set(_OTHERS) == set()
    assert {"core/connections.py", "core/http.py"} <= found
