"""The programs and the terminal sessions of README.md and of the site, as tests run them."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from itertools import count
from pathlib import Path
from types import ModuleType
from typing import Any

import attrs

ROOT = Path(__file__).parent.parent
README = ROOT / "README.md"
DOCS = ROOT / "docs"
EXAMPLE = "backup-03e3c82e0183b7b6b"
URL = "http://127.0.0.1:8888"
"""Where pages have the local FSx; tests have it at a free port."""

_BLOCK = re.compile(r"^ *```(\w+)\n(.*?)^ *```$", re.DOTALL | re.MULTILINE)
_PROGRESS = re.compile(r"^\S+Z .*backup-\S+.*: COPYING \d+%.*\n", re.MULTILINE)
# Destinations are planned at the same time, so these lines come in any order.
_PLANNED = re.compile(
    r"(?:^\S+, account \S+, \S+: (?:to copy|nothing to do).*\n){2,}", re.MULTILINE
)
_END = "@@ ended with "


def generator(name: str) -> ModuleType:
    """Return one of the modules that make parts of pages, which are no package."""
    sys.path.insert(0, str(DOCS / "_generators"))
    try:
        return import_module(name)
    finally:
        sys.path.pop(0)


def blocks(page: Path) -> list[tuple[str, str]]:
    """Return the blocks of code of a page, each with its language."""
    return _BLOCK.findall(page.read_text("utf-8"))


def programs(page: Path, language: str = "python") -> list[str]:
    """Return the blocks of code of a page in one language."""
    return [text for one, text in blocks(page) if one == language]


def run(program: str) -> dict[str, Callable[..., Awaitable[Any]]]:
    """Run a program of a page in this process, and return its names."""
    names: dict[str, Any] = {"__name__": "page"}
    exec(compile(program, "page.md", "exec"), names)
    return names


@attrs.frozen
class Step:
    """A command of a page, and what the page says that it prints."""

    command: str
    output: str


def steps(page: Path) -> list[Step]:
    """Return the commands of a page's terminal sessions, in their order."""
    found = []
    for text in programs(page, "console"):
        for part in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
            lines = part.splitlines(keepends=True)
            size = next(i for i, line in enumerate(lines) if not line.endswith("\\\n")) + 1
            found.append(Step("".join(lines[:size]).strip(), "".join(lines[size:])))
    return found


def normal(text: str) -> str:
    """Return an output without what differs from run to run: IDs, times, ages and progress."""
    text = _PROGRESS.sub("", text)
    text = _PLANNED.sub(lambda found: "".join(sorted(found[0].splitlines(keepends=True))), text)
    numbers = count(1)
    known = {EXAMPLE: EXAMPLE}

    def name(found: re.Match[str]) -> str:
        return known.setdefault(found[0], f"backup-{next(numbers)}")

    text = re.sub(r"backup-[0-9a-f]{8,}", name, text)
    text = re.sub(
        r"\b202[6-9]-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|\+00:00)", "TIME", text
    )
    text = re.sub(r"http://127\.0\.0\.1:\d+", URL, text)
    text = re.sub(r"\b\d+ d\b", "N d", text)
    return re.sub(r"[ \t]+", " ", text).strip()


def environment(url: str | None = None) -> dict[str, str]:
    """Return an environment with the installed command, for an FSx at *url*."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    # So that both streams come in the order of a terminal.
    given = {"PATH": path, "PYTHONUNBUFFERED": "1"}
    if url:
        names = {"AWS_ACCESS_KEY_ID": "any", "AWS_SECRET_ACCESS_KEY": "any"}
        given |= {"AWS_ENDPOINT_URL_FSX": url, **names}
    return {**os.environ, **given}


@contextmanager
def local_fsx(command: str) -> Iterator[tuple[str, str]]:
    """Run a page's ``fsxcopy local`` at a free port, and yield its URL and what it printed."""
    arguments = command.replace("--port 8888", "").split()
    with subprocess.Popen(
        arguments, stdout=subprocess.PIPE, text=True, env=environment()
    ) as server:
        assert server.stdout is not None
        lines = [server.stdout.readline() for _ in range(1 + ("--with-example" in command))]
        try:
            yield lines[0].strip(), "".join(lines)
        finally:
            server.terminate()


def outputs(commands: list[str], folder: Path, env: Mapping[str, str], url: str) -> list[str]:
    """Run commands one after the other in one shell, and return what each printed."""
    script = ["last=0"]
    for command in commands:
        # Each command sees how the one before ended, as at a prompt.
        script += [f"(exit $last); {{ {command.replace(URL, url)}\n}} 2>&1"]
        script += ["last=$?", f"echo '{_END}'$last"]
    done = subprocess.run(
        ["bash"],
        input="\n".join(script),
        cwd=folder,
        env=env,
        capture_output=True,
        text=True,
        check=True,
    )
    return re.split(rf"^{_END}\d+\n", done.stdout, flags=re.MULTILINE)[: len(commands)]
