"""Runs blocks of the documentation, each in a fork of a process that has the package imported.

A fork has nothing of another block: its own modules, folder, environment and output. It costs
some milliseconds, where a new Python costs most of a second. One task is a line of JSON on
stdin: `code` for Python or `argv` for the command, with `folder`, `environment` and the paths of
`stdout` and `stderr`. The answer is the exit code, in a line of its own.
"""

import atexit
import gc
import json
import os
import sys
import threading
import traceback
import types
from importlib import import_module
from pathlib import Path
from typing import Any

for _name in (
    *("aiohttp", "click", "rich.console", "rich.table", "tenacity"),
    *(f"homebox_async.{module}" for module in ("sync", "billing", "pricing", "importer")),
    *(f"homebox_async.{module}" for module in ("emulator", "cli.root", "cli.options")),
):
    import_module(_name)


def run_code(code: str) -> int:
    """Run a block as `python -c` would."""
    main = types.ModuleType("__main__")
    sys.modules["__main__"] = main
    sys.argv = ["-c"]
    try:
        exec(compile(code, "<block>", "exec"), main.__dict__)
    except SystemExit as left:
        return left.code if isinstance(left.code, int) else int(left.code is not None)
    except BaseException:
        traceback.print_exc()
        return 1
    return 0


def run_command(argv: list[str]) -> int:
    """Run `homebox` with its arguments."""
    from homebox_async.cli import main

    sys.argv = argv
    try:
        main()
    except SystemExit as left:
        return int(left.code or 0)
    return 0


def become(task: dict[str, Any]) -> None:
    """Take the folder, the environment and the output of a task."""
    os.chdir(task["folder"])
    os.environ.clear()
    os.environ.update(task["environment"])
    sys.path[:] = [path for path in sys.path if path != str(Path(__file__).parent)]
    sys.path.insert(0, task["folder"])
    for number, path in enumerate((os.devnull, task["stdout"], task["stderr"])):
        opened = os.open(path, os.O_RDONLY if number == 0 else os.O_WRONLY | os.O_CREAT, 0o600)
        os.dup2(opened, number)
        os.close(opened)


def child(task: dict[str, Any]) -> None:
    """Run a task, and leave as Python does."""
    code = 70
    try:
        become(task)
        code = run_code(task["code"]) if "code" in task else run_command(task["argv"])
        threading._shutdown()  # type: ignore[attr-defined]
        atexit._run_exitfuncs()
        sys.modules.pop("__main__", None)
        gc.collect()
        sys.stdout.flush()
        sys.stderr.flush()
    finally:
        os._exit(code)


def serve() -> None:
    """Answer tasks until stdin ends."""
    for line in sys.stdin:
        process = os.fork()
        if process == 0:
            child(json.loads(line))
        _, status = os.waitpid(process, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


if __name__ == "__main__":
    serve()
