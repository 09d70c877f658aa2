"""
What objects do that are nothing but their members: compare, hash and show themselves.

attrs would write and compile such methods for each class anew, which was a third of
what the import of all types cost. These take a microsecond or two more in each call.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from operator import attrgetter
from reprlib import recursive_repr
from typing import TYPE_CHECKING

import attrs


class Shown:
    """
    Shows itself by its members, but for those that must not be seen.
    """

    __slots__ = ()

    @recursive_repr()
    def __repr__(self) -> str:
        cls: type = type(self)
        shown = [f"{name}={text_of(getattr(self, name))}" for name, text_of in _shown(cls)]
        return f"{cls.__qualname__}({', '.join(shown)})"


class Value(Shown):
    """
    Is equal to another of its class whose members are equal.
    """

    __slots__ = ()

    # A type checker that sees it takes any comparison for sensible, and no longer objects
    # to one of a backup with its id.
    if not TYPE_CHECKING:  # pragma: no branch - it never is when this runs

        def __eq__(self, other: object) -> bool:
            if type(other) is not type(self):
                return NotImplemented
            return _compared(self) == _compared(other)

    def __hash__(self) -> int:
        return hash((type(self), _compared(self)))


def _compared(value: Value) -> object:
    cls: type = type(value)
    return _getter(cls)(value)


@cache
def _getter(cls: type) -> Callable[[Value], object]:
    return attrgetter(*[field.name for field in attrs.fields(cls) if field.eq])


@cache
def _shown(cls: type) -> list[tuple[str, Callable[[object], str]]]:
    return [
        (field.name, field.repr if callable(field.repr) else repr)
        for field in attrs.fields(cls)
        if field.repr
    ]
