"""Imported by every Python that starts with this folder on PYTHONPATH: the modules that BLOCKED_MODULES names are not
there, as in an image that has only what requirements/base.txt lists."""

import os
import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType

_BLOCKED = frozenset(os.environ["BLOCKED_MODULES"].split(","))


class _NotInstalled:
    @staticmethod
    def find_spec(
        name: str, _path: Sequence[str] | None = None, _target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if name.partition(".")[0] in _BLOCKED:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
        return None


sys.meta_path.insert(0, _NotInstalled)
