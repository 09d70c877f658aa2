"""What `copy_many` takes, and that nothing is sent if it does not."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from bulk_rig import WEST, direct_client

from fsxcopy_sdk import (
    ClientNotOpen,
    FsxCopyClient,
    InvalidArguments,
    StreamNotOpen,
    WaitSchedule,
)
from fsxcopy_sdk.bulk import CopyInProgress, CopyRequest, copy_many
from fsxcopy_sdk.testing import LocalFsx, ManualClock

UNSEEN = CopyInProgress(
    request=CopyRequest(source_backup_id="backup-00000000"),
    client_request_token="token",
    started=0.0,
)


async def _observe(_: CopyInProgress) -> None:
    """Observe in vain: nothing awaits an observer."""


@pytest.fixture(name="offline")
def _offline() -> FsxCopyClient:
    """A client that is open, to a local FSx that is empty."""
    clock = ManualClock()
    client, _ = direct_client(LocalFsx(clock=clock), clock)
    return client


@pytest.mark.parametrize(
    ("options", "rule"),
    [
        ({"max_in_progress": 0}, "max_in_progress: must be an integer, at least 1, not 0"),
        ({"max_in_progress": True}, "max_in_progress: must be an integer, at least 1, not True"),
        ({"max_in_progress": 2.0}, "max_in_progress: must be an integer, at least 1, not 2.0"),
        ({"wait": 1}, "wait: must be True or False, not 1"),
        ({"max_wait": -1}, "max_wait: must be seconds or a timedelta"),
        ({"schedule": 5}, "schedule: must be a WaitSchedule, not 5"),
        ({"on_seen": 5}, "on_seen: must be a function that is not async, or None, not 5"),
        ({"adopt": 5}, "adopt: must be a collection of CopyInProgress, each with another backup"),
        ({"adopt": [5]}, "adopt: must be a collection of CopyInProgress"),
        ({"adopt": [UNSEEN]}, "adopt: must be a collection of CopyInProgress"),
        ({"on_seen": _observe}, "on_seen: must be a function that is not async, or None, not"),
        ({"client": None}, "client: must be a FsxCopyClient, not None"),
        ({"requests": 5}, "requests: must be a collection of CopyRequest, not 5"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_arguments_are_checked(
    offline: FsxCopyClient, options: dict[str, Any], rule: str
) -> None:
    """An argument that breaks its rule is refused before the block is entered."""
    with pytest.raises(InvalidArguments, match=rule):
        copy_many(**{"client": offline, "requests": [], **options})


async def test_all_errors_are_reported_at_once(offline: FsxCopyClient) -> None:
    """One exception names every argument that breaks its rule, and each request."""
    wrong: dict[str, Any] = {"max_in_progress": 0, "max_wait": -1, "requests": [1]}

    with pytest.raises(InvalidArguments) as caught:
        copy_many(**{"client": offline, **wrong})

    assert ["max_in_progress", "max_wait", "requests[0]"] == [
        text.partition(":")[0] for text in caught.value.errors
    ]


async def test_natural_types_are_taken(offline: FsxCopyClient) -> None:
    """Durations may be timedeltas, requests may come from an iterator."""
    request = CopyRequest(source_backup_id="backup-00000000000000000")
    async with copy_many(
        offline,
        iter([request]),
        max_in_progress=1,
        max_wait=timedelta(minutes=1),
        schedule=WaitSchedule(min_delay=1),
        on_seen=None,
    ) as copies:
        outcomes = [outcome async for outcome in copies]

    assert [request] == [outcome.request for outcome in outcomes]


def test_the_client_must_be_open() -> None:
    """A client that is not open is refused before the block is entered."""
    with pytest.raises(ClientNotOpen, match="is not open"):
        copy_many(FsxCopyClient(WEST), [])


REQUEST = CopyRequest(source_backup_id="backup-00000000000000000")


@pytest.mark.parametrize("requests", [[], [REQUEST]], ids=["nothing", "something"])
async def test_outcomes_come_inside_the_block_only(
    offline: FsxCopyClient, requests: list[CopyRequest]
) -> None:
    """Outside of `async with` there never will be an outcome: the error says how to get one."""
    copies = copy_many(offline, requests)
    with pytest.raises(StreamNotOpen, match="use it as `async with copy_many"):
        async for _ in copies:
            pass
    with pytest.raises(StreamNotOpen, match="`async for outcome in copies`"):
        await anext(copies)
    assert ((), (), tuple(requests)) == (copies.outcomes, copies.in_progress, copies.not_started)
    async with copies:
        assert requests == [outcome.request async for outcome in copies]


async def test_a_block_is_entered_once(offline: FsxCopyClient) -> None:
    """Entered again, inside or after its block, it refuses, and what it does continues."""
    copies = copy_many(offline, [REQUEST])
    async with copies:
        with pytest.raises(StreamNotOpen, match=r"copy_many\(...\) can be entered once"):
            await copies.__aenter__()
        assert REQUEST == (await anext(copies)).request
    with pytest.raises(StreamNotOpen, match="call copy_many again"):
        async with copies:
            pass
    assert [] == [outcome async for outcome in copies]


def test_a_stream_can_be_made_before_a_loop_runs(offline: FsxCopyClient) -> None:
    """No event loop is needed until the block is entered."""
    assert (REQUEST,) == copy_many(offline, [REQUEST]).not_started
