"""Mutation testing: change one operator or constant of a module at a time, and list the changes that no test notices.

    AUTHSVC_MODE=test .venv/bin/python scripts/mutate.py otp/policy.py tests/otp/test_policy.py [more tests]

The tests are collected and run once. Then a forked process for each mutant runs the tests that entered the
changed function, quickest first; for a constant of the module it runs all of them. A mutant that hangs counts as
noticed. The forks rely on SQLite in memory, so run it without DATABASE_URL and REDIS_URL.
"""

import ast
import copy
import importlib
import os
import random
import signal
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import CodeType, FunctionType, ModuleType
from typing import Any

import pytest
from _pytest.runner import runtestprotocol

SECONDS = 60
SWAPS: dict[type[ast.AST], Any] = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.In: ast.NotIn, ast.NotIn: ast.In, ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.And: ast.Or, ast.Or: ast.And,
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.FloorDiv, ast.FloorDiv: ast.Mult, ast.BitOr: ast.BitAnd,
    ast.BitAnd: ast.BitOr,
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Mutant:
    function: str  # its qualified name; "" for a constant of the module
    line: int
    change: str
    tree: ast.Module


def mutants(source: str) -> Iterator[Mutant]:
    tree = ast.parse(source)
    for number, (function, node) in enumerate(_nodes(tree)):
        if function and not function.endswith("()"):
            continue  # the body of a class: other modules hold the class itself
        changed = copy.deepcopy(tree)
        target = list(_nodes(changed))[number][1]
        change = _mutate(target)
        if change:
            yield Mutant(function=function, line=getattr(node, "lineno", 0), change=change, tree=changed)


def _nodes(tree: ast.AST, function: str = "") -> Iterator[tuple[str, ast.AST]]:
    """Every node but docstrings, annotations and defaults, with the function that holds it."""
    for name, value in ast.iter_fields(tree):
        if name in ("annotation", "returns", "type_params", "defaults", "kw_defaults"):
            continue
        for child in value if isinstance(value, list) else [value]:
            if not isinstance(child, ast.AST) or (
                isinstance(child, ast.Expr) and isinstance(child.value, ast.Constant)
            ):
                continue
            inner = function
            if isinstance(child, ast.FunctionDef | ast.ClassDef) and "(" not in function:
                inner = f"{function}.{child.name}".lstrip(".") + "()" * isinstance(child, ast.FunctionDef)
            yield inner, child
            yield from _nodes(child, inner)


def _mutate(node: ast.AST) -> str:
    """Change the node in place; what was done, "" for nothing."""
    match node:
        case ast.Compare(ops=[operator, *_]):
            node.ops[0] = SWAPS[type(operator)]()
            return f"{type(operator).__name__} → {type(node.ops[0]).__name__}"
        case ast.BoolOp() | ast.BinOp() if type(node.op) in SWAPS:
            before = type(node.op).__name__
            node.op = SWAPS[type(node.op)]()
            return f"{before} → {type(node.op).__name__}"
        case ast.If() | ast.IfExp() | ast.While():
            node.test = ast.copy_location(ast.UnaryOp(op=ast.Not(), operand=node.test), node.test)
            ast.fix_missing_locations(node)
            return "condition negated"
        case ast.Constant(value=bool() as flag):
            node.value = not flag
        case ast.Constant(value=int() | float() as amount):
            node.value = amount + 1
        case ast.Constant(value=str() as text) if text:
            node.value = text + "X"
        case _:
            return ""
    return f"constant → {node.value!r}"


def apply(mutant: Mutant, module: ModuleType) -> None:
    """Put the changed function, or the changed constants, into the module that every test has imported."""
    compiled = compile(mutant.tree, str(module.__file__), "exec")
    if mutant.function.endswith("()"):
        qualified = mutant.function.removesuffix("()")
        target: Any = module
        for part in qualified.split("."):
            target = vars(target)[part]
        _function(target).__code__ = next(code for code in _codes(compiled) if code.co_qualname == qualified)
        return
    namespace: dict[str, Any] = {"__name__": module.__name__, "__file__": module.__file__}
    exec(compiled, namespace)  # our own source
    for name, value in namespace.items():
        old = vars(module).get(name)
        if name.startswith("__") or isinstance(value, FunctionType | type) or hasattr(value, "__wrapped__"):
            continue
        for other in [item for item in sys.modules.values() if getattr(item, name, None) is old]:
            setattr(other, name, value)


def _function(target: Any) -> FunctionType:  # noqa: ANN401 # function, property, class method, cached function
    for name in ("fget", "__func__", "__wrapped__"):
        if inner := getattr(target, name, None):
            getattr(target, "cache_clear", lambda: None)()
            return _function(inner)
    assert isinstance(target, FunctionType)
    return target


def _codes(code: CodeType) -> Iterator[CodeType]:
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield constant
            yield from _codes(constant)


class Plugin:
    """Runs the tests once, then once more for each mutant."""

    def __init__(self, path: Path, share: float) -> None:
        self.path, self.share = path, share
        self.noticed: int = 0
        self.survivors: list[Mutant] = []

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        module = importlib.import_module(".".join(self.path.with_suffix("").parts))
        items = session.items
        entered: dict[str, set[int]] = defaultdict(set)
        seconds: dict[int, float] = {}
        for number, item in enumerate(items):
            with _watch(str(module.__file__), lambda name, number=number: entered[name].add(number)):  # type: ignore[misc]
                begun = time.monotonic()
                if not _passes(item, items[number - 1]):
                    pytest.exit(f"fails without a change: {item.nodeid}", 2)
                seconds[number] = time.monotonic() - begun
        quickest = sorted(range(len(items)), key=seconds.__getitem__)
        for mutant in mutants(self.path.read_text()):
            if random.random() >= self.share:  # a sample
                continue
            name = mutant.function.removesuffix("()")
            numbers = [
                number for number in quickest if not mutant.function.endswith("()") or number in entered[name]
            ]
            if _is_noticed(mutant, module, [items[number] for number in numbers]):
                self.noticed += 1
            else:
                self.survivors.append(mutant)
                print(f"\n{self.path}:{mutant.line} {name}: {mutant.change}", flush=True)
        return True


class _watch:  # noqa: N801 # used like a function
    def __init__(self, filename: str, note: Callable[[str], object]) -> None:
        self.filename, self.note = filename, note

    def __enter__(self) -> None:
        def started(code: CodeType, _offset: int) -> None:
            if code.co_filename == self.filename:
                self.note(code.co_qualname.split(".<locals>")[0])

        sys.monitoring.use_tool_id(4, "mutate")
        sys.monitoring.register_callback(4, sys.monitoring.events.PY_START, started)
        sys.monitoring.set_events(4, sys.monitoring.events.PY_START)

    def __exit__(self, *_error: object) -> None:
        sys.monitoring.set_events(4, 0)
        sys.monitoring.free_tool_id(4)


def _passes(item: pytest.Item, following: pytest.Item) -> bool:
    item.session._setupstate.teardown_exact(item)  # noqa: SLF001 # of the test before, perhaps in another module
    failures = [report for report in runtestprotocol(item, log=False, nextitem=following) if report.failed]
    for report in failures:
        sys.stderr.write(f"{report.longreprtext}\n" if os.environ.get("MUTATE_VERBOSE") else "")
    return not failures


def _is_noticed(mutant: Mutant, module: ModuleType, items: list[pytest.Item]) -> bool:
    child = os.fork()
    if child == 0:
        signal.alarm(SECONDS)
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        try:
            apply(mutant, module)
            passed = all(_passes(item, items[number - 1]) for number, item in enumerate(items))
        except BaseException:  # noqa: BLE001 # a mutant that cannot even be imported
            passed = False
        os._exit(0 if passed else 1)
    return os.waitpid(child, 0)[1] != 0


def main() -> None:
    path, *arguments = sys.argv[1:]
    share = float(os.environ.get("MUTATE_SHARE", "1"))
    plugin = Plugin(Path(path), share)
    code = pytest.main(
        ["-q", "-p", "no:cacheprovider", "-p", "no:xdist", "-p", "no:randomly", *arguments], [plugin]
    )
    total = plugin.noticed + len(plugin.survivors)
    print(f"{path}: {total} mutants, {plugin.noticed} noticed, {len(plugin.survivors)} survived")
    sys.exit(code)


if __name__ == "__main__":
    sys.path.insert(0, str(Path.cwd()))
    main()
