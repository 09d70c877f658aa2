"""
Fixtures for pytest, which finds them where this package is installed.

`fsx` is a local FSx, and the environment directs every client to it; `fsx_clock` is its clock, and
`fsx_client` makes clients that share it. The fixtures are not coroutines, so tests can use them
with any event-loop plugin, or with none. Nothing is imported before a test asks for it.
"""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any, Final, TypeVar

import pytest

if TYPE_CHECKING:
    from fsxcopy_sdk import FsxCopyClient
    from fsxcopy_sdk.testing import LocalFsx, ManualClock

_T = TypeVar("_T")

_STALL_TIMEOUT: Final = 10.0
"""Real seconds; a call to a local FSx takes milliseconds of them, and a copy none."""

_MARKERS: Final = (
    "fsx(**settings): arguments of fsxcopy_sdk.testing.LocalFsx for the fixture fsx.",
    "fsx_clock(**settings): arguments of fsxcopy_sdk.testing.ManualClock for fsx_clock.",
    "fsx_fault(fault, **which_calls): arguments of LocalFsx.inject, injected before the test.",
)

_SET: Final = {
    "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
    "AWS_SECRET_ACCESS_KEY": "any",
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "AWS_EC2_METADATA_DISABLED": "true",
    # Also for systems that have proxies elsewhere than in the environment.
    "NO_PROXY": "*",
    "no_proxy": "*",
}

_UNSET: Final = (
    "AWS_PROFILE",
    "AWS_DEFAULT_PROFILE",
    "AWS_SESSION_TOKEN",
    "AWS_SECURITY_TOKEN",
    "AWS_ROLE_ARN",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
    "AWS_USE_DUALSTACK_ENDPOINT",
    "AWS_USE_FIPS_ENDPOINT",
    *(
        name
        for one in ("http", "https", "all")
        for name in (f"{one}_proxy", f"{one}_PROXY".upper())
    ),
)


def pytest_configure(config: pytest.Config) -> None:
    """Register the markers."""
    for line in _MARKERS:
        config.addinivalue_line("markers", line)


@pytest.fixture
def fsx_clock(request: pytest.FixtureRequest) -> ManualClock:
    """
    The clock of `fsx` and of the clients of `fsx_client`, at zero.

    It advances when a task sleeps on it, and stands still otherwise. A wait for it that nothing
    would end fails after ten real seconds. ``@pytest.mark.fsx_clock(auto_advance=False)`` gives
    `ManualClock` other arguments.
    """
    from fsxcopy_sdk.testing import ManualClock  # noqa: PLC0415 - only when it is used

    default = {"auto_advance": True, "stall_timeout": _STALL_TIMEOUT}
    return _call("fsx_clock", ManualClock, **default | _settings(request, "fsx_clock"))


@pytest.fixture
def fsx(request: pytest.FixtureRequest, fsx_clock: ManualClock) -> Iterator[LocalFsx]:
    """
    A local FSx in a thread, which the environment names as the FSx of all clients.

    ``@pytest.mark.fsx(copy_duration=60)`` gives `LocalFsx` other arguments, and
    ``@pytest.mark.fsx_fault(Fault.throttling(), next_calls=2)`` injects a fault. Credentials are
    made up, proxies are off, and each call is tried once unless AWS_MAX_ATTEMPTS says otherwise.
    """
    from fsxcopy_sdk.testing import LocalFsx  # noqa: PLC0415 - only when it is used

    settings = _settings(request, "fsx")
    if "clock" in settings:
        raise _mistake("fsx", "the clock is that of the fixture fsx_clock")
    local = _call("fsx", LocalFsx, **settings, clock=fsx_clock)
    for marker in request.node.iter_markers("fsx_fault"):
        _call("fsx_fault", local.inject, *marker.args, **marker.kwargs)
    with local as fsx, pytest.MonkeyPatch.context() as environment:
        for name in _UNSET:
            environment.delenv(name, raising=False)
        for name, text in _SET.items():
            environment.setenv(name, text)
        environment.setenv("AWS_ENDPOINT_URL_FSX", fsx.endpoint_url)
        environment.setenv("AWS_MAX_ATTEMPTS", os.environ.get("AWS_MAX_ATTEMPTS", "1"))
        yield fsx


@pytest.fixture
def fsx_client(fsx: LocalFsx, fsx_clock: ManualClock) -> Callable[..., FsxCopyClient]:
    """
    A function from a Region to a client of `fsx` that waits on `fsx_clock`.

    Open it as any other: ``async with fsx_client("us-west-2") as client:``. It takes the
    *session* and the *config* of `FsxCopyClient` too, of which trio needs the latter.
    """
    from fsxcopy_sdk import FsxCopyClient  # noqa: PLC0415 - only when it is used

    return partial(FsxCopyClient, endpoint_url=fsx.endpoint_url, clock=fsx_clock)


def _settings(request: pytest.FixtureRequest, marker: str) -> dict[str, Any]:
    """Return the arguments of all *marker* of a test; of two, the one closer to it wins."""
    settings: dict[str, Any] = {}
    for one in request.node.iter_markers(marker):
        if one.args:
            raise _mistake(marker, f"arguments need a name, unlike {one.args[0]!r}")
        settings = {**one.kwargs, **settings}
    return settings


def _call(marker: str, function: Callable[..., _T], *args: object, **kwargs: object) -> _T:
    """Return what *function* does with the arguments of *marker*, whose mistakes fail the test."""
    known = inspect.signature(function).parameters
    for name in kwargs.keys() - known:
        raise _mistake(marker, f"there is no argument {name!r}; there are {', '.join(known)}")
    try:
        return function(*args, **kwargs)
    except (TypeError, ValueError) as error:
        raise _mistake(marker, str(error)) from None


def _mistake(marker: str, what: str) -> BaseException:
    return pytest.fail.Exception(f"@pytest.mark.{marker}: {what}", pytrace=False)
