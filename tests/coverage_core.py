"""Coverage of branches by `sys.monitoring` on Python 3.13; a plugin of coverage.py (pyproject.toml).

A trace function makes the tests take almost twice the CPU. From Python 3.14 on coverage.py measures branches without
one, because each way of a branch has an event of its own. 3.13 has one event for both, which is listened to until a
branch has gone both ways.
"""

import sys
from types import CodeType
from typing import Any

from coverage import env, sysmon
from coverage.plugin_support import Plugins


def coverage_init(_registry: Plugins, _options: dict[str, Any]) -> None:
    if env.PYBEHAVIOR.branch_right_left:
        return
    env.PYBEHAVIOR.branch_right_left = True
    events: Any = sys.monitoring.events
    events.BRANCH_LEFT = events.BRANCH_RIGHT = events.BRANCH
    record = sysmon.SysMonitor.sysmon_branch_either
    # By code object and place. coverage.py keeps code objects alive, so their ids stay theirs.
    first_ways: dict[tuple[int, int], int] = {}

    def branch(monitor: sysmon.SysMonitor, code: CodeType, source: int, destination: int) -> object:
        first = first_ways.get((id(code), source))
        if first == destination:
            return None
        first_ways.setdefault((id(code), source), destination)
        disable = record(monitor, code, source, destination)
        return None if first is None else disable

    sysmon.SysMonitor.sysmon_branch_either = branch  # type: ignore[method-assign]
