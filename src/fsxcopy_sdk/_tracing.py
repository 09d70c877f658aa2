"""Spans of OpenTelemetry for what takes hours, where its API is installed; nothing elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from functools import cache
from types import TracebackType
from typing import TYPE_CHECKING, Self, TypeAlias

from fsxcopy_sdk.errors import FsxCopyError

if TYPE_CHECKING:
    from opentelemetry.trace import Tracer

Attributes: TypeAlias = Mapping[str, str | float | None]
"""By name; what is None is left out. ``cloud.region`` is of OpenTelemetry's conventions."""


@cache
def _tracer() -> Tracer | None:
    try:
        from opentelemetry.trace import get_tracer  # noqa: PLC0415 - optional, and costs milliseconds
    except ImportError:
        return None
    return get_tracer("fsxcopy_sdk")


class Span:
    """
    One span, from when it is made to the end of its ``with`` block.

    The block does not make it the current span, because an async generator shares its context
    with the code that iterates over it: use `current` around parts that yield nothing.
    """

    def __init__(self, name: str, attributes: Attributes) -> None:
        tracer = _tracer()
        self._span = None if tracer is None else tracer.start_span(f"fsxcopy.{name}")
        self.set(attributes)

    def set(self, attributes: Attributes) -> None:
        """Add or change attributes."""
        if self._span is not None:
            for name, value in attributes.items():
                if value is not None:
                    self._span.set_attribute(name, value)

    def current(self) -> AbstractContextManager[object]:
        """Make it the parent of all spans that begin in the block and in tasks started there."""
        if self._span is None:
            return nullcontext()
        from opentelemetry.trace import use_span  # noqa: PLC0415 - optional

        return use_span(self._span, record_exception=False, set_status_on_exception=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """End it, as failed after an error of this package."""
        if self._span is None:
            return
        if isinstance(error, FsxCopyError):
            from opentelemetry.trace import StatusCode  # noqa: PLC0415 - optional

            self.set({"error.type": type(error).__name__})
            self._span.set_status(StatusCode.ERROR, str(error))
        self._span.end()
