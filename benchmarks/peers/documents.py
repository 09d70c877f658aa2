"""
Backups that no decoder was tuned to: made from the service's own model, by seed.

Run as a program it writes the pages and the answer that every peer is given. It needs
botocore for the model and for the example that the service documents.
"""

from __future__ import annotations

import json
import random
import re
import string
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from botocore.loaders import Loader

Document = dict[str, object]

PAGE = 50
"""Backups on a page: the most that the service sends (`Backups` in its model)."""
LISTING_PAGES = 40
"""Pages of a long listing."""

_DENSE_ITEMS = 1
_TEXT = string.ascii_letters + string.digits + "-_./"
_SHORTEST_TEXT, _LONGEST_TEXT = 8, 40
_LARGEST = 2**31 - 1
_TIMES = 1_500_000_000, 1_800_000_000


class Author:
    """Writes backups; the same seed writes the same ones."""

    def __init__(self, seed: int) -> None:
        loader = Loader()
        self._shapes = loader.load_service_model("fsx", "service-2")["shapes"]
        examples = loader.load_service_model("fsx", "examples-1")["examples"]
        self._example = examples["CopyBackup"][0]["output"]["Backup"]
        self._random = random.Random(seed)

    def example_like(self) -> Document:
        """
        Write a backup with the members of the one in the service's documentation.

        Its texts keep their lengths, and its lists theirs.
        """
        return self._structure("Backup", self._example, ())

    def dense(self) -> Document:
        """
        Write a backup with every member there is, one item to a list.

        A structure is left out inside one of its own kind, so that the four that hold
        each other come to an end.
        """
        return self._structure("Backup", None, ())

    def _structure(
        self, name: str, like: Mapping[str, Any] | None, within: tuple[str, ...]
    ) -> Document:
        members = self._shapes[name]["members"]
        within = (*within, name)
        return {
            member: self._value(members[member]["shape"], like and like[member], within)
            for member in (members if like is None else like)
            if like is not None or self._holds(members[member]["shape"]) not in within
        }

    def _holds(self, name: str) -> str:
        shape = self._shapes[name]
        return shape["member"]["shape"] if shape["type"] == "list" else name

    def _value(self, name: str, like: Any, within: tuple[str, ...]) -> object:
        shape = self._shapes[name]
        if shape["type"] == "structure":
            return self._structure(name, like, within)
        if shape["type"] == "list":
            item = shape["member"]["shape"]
            return [self._value(item, one, within) for one in like or [None] * _DENSE_ITEMS]
        if "enum" in shape:
            return self._random.choice(shape["enum"])
        return self._LEAVES[shape["type"]](self, shape, like)

    def _text(self, shape: Mapping[str, Any], like: str | None) -> str:
        if like:
            return re.sub(r"\d", lambda _: self._random.choice(string.digits), like)
        longest = min(shape.get("max", _LONGEST_TEXT), _LONGEST_TEXT)
        shortest = max(shape.get("min", 0), min(longest, _SHORTEST_TEXT))
        length = self._random.randint(shortest, max(shortest, longest))
        return "".join(self._random.choices(_TEXT, k=length))

    def _number(self, shape: Mapping[str, Any], _: object) -> int:
        return self._random.randint(shape.get("min", 0), shape.get("max", _LARGEST))

    def _flag(self, *_: object) -> bool:
        return self._random.random() < 0.5  # noqa: PLR2004 - a coin

    def _time(self, *_: object) -> float:
        return round(self._random.uniform(*_TIMES), 3)

    _LEAVES: Mapping[str, Callable[[Author, Mapping[str, Any], Any], object]] = {
        "string": _text,
        "integer": _number,
        "long": _number,
        "boolean": _flag,
        "timestamp": _time,
    }


def write(folder: Path, seed: int) -> None:
    """Write every document that a run needs."""
    author = Author(seed)

    def page(name: str, backup: Callable[[], Document]) -> None:
        document = {"Backups": [backup() for _ in range(PAGE)]}
        (folder / name).write_text(json.dumps(document), "utf-8")

    folder.mkdir(parents=True, exist_ok=True)
    page("dense-page.json", author.dense)
    for number in range(LISTING_PAGES):
        page(f"listing-{number:02}.json", author.example_like)
    answer = {"Backup": author.example_like()}
    (folder / "copy-backup.json").write_text(json.dumps(answer), "utf-8")


if __name__ == "__main__":
    write(Path(sys.argv[1]), int(sys.argv[2]))
