"""
Run four type checkers over a user's program and over mistakes, as `nox -s users` does.

The program must be clean, and each checker must report every line that is marked as a
mistake. Nothing of this project's stubs or settings is in reach of the checkers.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

HERE = Path(__file__).parent
CHECKERS = {
    "mypy": ("-m", "mypy", "--strict", "--config-file=", "--no-error-summary"),
    "pyright": ("-m", "pyright", "--pythonpath", sys.executable),
    "pyrefly": ("-m", "pyrefly", "check", "--output-format=min-text"),
    "ty": ("-m", "ty", "check", "--output-format=concise"),
}


def lines_of(checker: str, file: Path) -> tuple[set[int], str]:
    """Return the lines of a file that a checker reports as errors, and what it printed."""
    command = [sys.executable, *CHECKERS[checker], str(file)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=file.parent)
    found = {
        int(number)
        for line in done.stdout.splitlines()
        for number in re.findall(rf"{re.escape(file.name)}:(\d+)", line)
        if "warning" not in line.lower() and "note:" not in line
    }
    return found, done.stdout + done.stderr


def main(folder: Path) -> int:
    """Check the copies in *folder*, and return 1 if a checker falls short."""
    program, mistakes = folder / "program.py", folder / "mistakes.py"
    marked = {
        number
        for number, line in enumerate(mistakes.read_text("utf-8").splitlines(), 1)
        if line.endswith("# mistake")
    }
    falls_short = False
    for checker in CHECKERS:
        wrong, printed = lines_of(checker, program)
        found, _ = lines_of(checker, mistakes)
        missed = sorted(marked - found)
        stray = sorted(found - marked)
        print(f"{checker}: program {len(wrong)} errors, {len(marked & found)} of {len(marked)}")
        if wrong:
            print(printed)
        if missed or stray:
            print(f"  missed: {missed}, stray: {stray}")
        falls_short |= bool(wrong or missed or stray)
    return int(falls_short)


if __name__ == "__main__":
    # Apart from this project's settings and stubs, and in no hidden folder: pyright skips those.
    with TemporaryDirectory() as folder:
        for file in HERE.iterdir():
            if file.is_file():
                shutil.copy(file, folder)
        sys.exit(main(Path(folder).resolve()))
