"""The tests' side of warm.py."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import attrs


@attrs.frozen
class Done:
    """What a block came to."""

    code: int
    stdout: str
    stderr: str


@attrs.define
class Runner:
    """Hands tasks to a warm process; they see the environment as it is at the time."""

    process: "subprocess.Popen[str]"

    def python(self, code: str, folder: Path) -> Done:
        """Run a Python block, with warnings as errors."""
        return self._run(folder, code=code)

    def command(self, argv: list[str], folder: Path) -> Done:
        """Run a `homebox` command."""
        return self._run(folder, argv=argv)

    def _run(self, folder: Path, **task: Any) -> Done:
        outputs = {name: folder.parent / name for name in ("stdout", "stderr")}
        for path in outputs.values():
            path.unlink(missing_ok=True)
        task |= {name: str(path) for name, path in outputs.items()}
        task |= {"folder": str(folder), "environment": dict(os.environ)}
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(task) + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        assert answer, "the warm process has ended"
        return Done(int(answer), *(path.read_text() for path in outputs.values()))
