"""A sync as a task: by the file of a fleet or by one policy, and what it says in the end."""

from __future__ import annotations

import asyncio
import os
import threading
from pathlib import Path
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowException, AirflowFailException
from airflow_tasks import (
    LOCAL,
    REGION,
    SOURCE_REGION,
    context,
    copies,
    deferred,
    event_of,
    on_clock,
    tokens,
)

from fsxcopy_sdk import InvalidArguments
from fsxcopy_sdk.airflow import FsxSyncOperator
from fsxcopy_sdk.testing import Fault, LocalFsx, ManualClock

_FLEET = """\
version = 1

[[policy]]
name = "nightly"
source = { region = "us-east-2" }
destination = [{ region = "us-west-2" }, { region = "eu-west-1" }]
newest = "all"

[[policy]]
name = "weekly"
source = { region = "us-east-2" }
destination = [{ region = "eu-central-1" }]
"""
_POLICY = {
    "Name": "nightly",
    "Newest": 3,
    "Tags": [{"Key": "Purpose", "Value": "dr"}],
    "KmsKeyIds": {REGION: "alias/dr"},
    "Keep": {"Last": 1},
}

_DENIED = Fault.error("AccessDeniedException")


def _add(fsx: LocalFsx, number: int) -> list[str]:
    """Add backups of one file system, a day apart."""
    file_system = {"FileSystemId": "fs-0123456789abcdef0", "FileSystemType": "LUSTRE"}
    return [
        fsx.add_backup(
            SOURCE_REGION, CreationTime=1_790_000_000 + 86400 * day, FileSystem=file_system
        )
        for day in range(number)
    ]


@pytest.fixture(name="file")
def _file(tmp_path: Path) -> Path:
    file = tmp_path / "fsxcopy.toml"
    file.write_text(_FLEET, "utf-8")
    return file


def _operator(**members: Any) -> FsxSyncOperator:
    return FsxSyncOperator(task_id="sync", **LOCAL, **members)


async def _event(operator: FsxSyncOperator, clock: ManualClock) -> dict[str, Any]:
    return await event_of(deferred(operator, context()).trigger, clock)


async def test_a_file_is_synced(file: Path, fsx: LocalFsx, clock: ManualClock) -> None:
    """All policies are carried out with the connection, in all Regions, by the file's text."""
    _add(fsx, 3)
    operator = _operator(config=str(file))
    paused = deferred(operator, context())
    file.unlink()  # noqa: ASYNC240 - the triggerer need not have it
    event = await event_of(paused.trigger, clock)
    assert event == operator.execute_complete(context(), event)

    regions = (REGION, "eu-west-1", "eu-central-1")
    assert [3, 3, 1] == [len(copies(fsx, region)) for region in regions]
    assert ["Copied"] * 7 == [one["Outcome"] for one in event["Outcomes"]]
    assert [1, 3, 3] == sorted(one["ToCopy"] for one in event["Plans"])
    assert {"nightly", "weekly"} == {one["PolicyName"] for one in event["Outcomes"]}


async def test_policies_of_a_file_are_selected(
    file: Path, fsx: LocalFsx, clock: ManualClock
) -> None:
    """Only those that are named are carried out."""
    fsx.add_backup(SOURCE_REGION)
    event = await _event(_operator(config=str(file), policies=["weekly"]), clock)
    assert ["eu-central-1"] == [one["DestinationRegion"] for one in event["Outcomes"]]


@pytest.mark.parametrize("region", [REGION, None], ids=["argument", "connection"])
@pytest.mark.parametrize("newest", [2, None])
async def test_a_policy_is_synced_and_pruned(
    region: str | None, newest: int | None, fsx: LocalFsx, clock: ManualClock
) -> None:
    """One policy copies into the connection's Region, with its tags and its key, and prunes."""
    policy = {**_POLICY, "Newest": newest}
    _add(fsx, 4)
    operator = _operator(
        policy=policy, source_region=SOURCE_REGION, region_name=region, prune=True, prune_most=True
    )
    first = await _event(operator, clock)
    assert (newest or 4) == len(first["Outcomes"])
    assert first["IsGood"]
    assert all({"Key": "Purpose", "Value": "dr"} in one["Tags"] for one in copies(fsx))

    _add(fsx, 5)
    second = await _event(operator, clock)
    assert second["IsGood"]
    assert second["Plans"][0]["HeldBack"] == 0


async def test_deletions_are_outcomes_too(fsx: LocalFsx, clock: ManualClock) -> None:
    """A copy is pruned, not pruned for now, or left alone because another one failed."""
    policy = {"Name": "nightly", "Keep": {"Last": 1}}
    operator = _operator(policy=policy, source_region=SOURCE_REGION, prune=True)
    for number in (1, 2):
        _add(fsx, number)
        await _event(operator, clock)

    fsx.inject(_DENIED, operation="DeleteBackup")
    failed = await _event(operator, clock)
    assert ["PruneFailed"] == [one["Outcome"] for one in failed["Outcomes"]]
    assert (False, True) == (failed["IsGood"], failed["RetryHelps"])

    _add(fsx, 3)
    fsx.inject(_DENIED, operation="CopyBackup")
    skipped = await _event(operator, clock)
    assert {"CopyFailed", "PruneSkipped"} == {one["Outcome"] for one in skipped["Outcomes"]}
    assert all("Reason" in one or "Error" in one for one in skipped["Outcomes"])

    last = await _event(operator, clock)
    assert {"Copied", "Pruned"} == {one["Outcome"] for one in last["Outcomes"]}
    assert last["IsGood"]


async def test_what_is_wrong_with_the_source_fails_the_task(
    file: Path, fsx: LocalFsx, clock: ManualClock
) -> None:
    """A policy that selects nothing must not look like success."""
    operator = _operator(config=str(file))
    event = await _event(operator, clock)
    assert not event["RetryHelps"]
    text = f"nightly into {REGION}: {SOURCE_REGION} shows no backup in the policy's scope"
    assert text in event["Warnings"]
    with pytest.raises(AirflowFailException, match="shows no backup"):
        operator.execute_complete(context(), event)


async def test_an_account_that_fails_is_a_failure(
    file: Path, fsx: LocalFsx, clock: ManualClock
) -> None:
    """What cannot be planned is named, and a retry helps where it may pass."""
    fsx.inject(Fault.unavailable(), next_calls=1000)
    operator = _operator(config=str(file), policies=["weekly"])
    event = await _event(operator, clock)
    assert ["PolicyFailure"] == [one["Outcome"] for one in event["Failures"]]
    with pytest.raises(AirflowException, match="weekly: PolicyFailure: .*a retry may help"):
        operator.execute_complete(context(), event)


async def test_copies_that_are_held_back_fail_the_task(fsx: LocalFsx, clock: ManualClock) -> None:
    """What only a switch would delete is a warning, and fails the task in the end."""
    sources = _add(fsx, 3)
    members = {"policy": {**_POLICY, "Newest": 3}, "source_region": SOURCE_REGION}
    await _event(_operator(**members), clock)
    for one in sources:
        fsx.delete_backup(one)
    event = await _event(_operator(**members, prune=True), clock)
    assert event["Plans"][0]["HeldBack"]
    assert any("not pruned" in one for one in event["Warnings"])
    assert not event["IsGood"]
    event = await _event(_operator(**members, prune=True, prune_orphans=True), clock)
    assert {"Pruned", "PruneSkipped"} >= {one["Outcome"] for one in event["Outcomes"]}


async def test_what_is_held_back_meanwhile_fails_the_task(
    fsx: LocalFsx, clock: ManualClock
) -> None:
    """After the plan both Regions show nothing, which is no reason to call a copy pruned."""
    members = {"policy": {**_POLICY, "Newest": 3}, "source_region": SOURCE_REGION}
    _add(fsx, 3)
    await _event(_operator(**members), clock)
    members["policy"] = {**_POLICY, "Newest": 1}
    # The two listings of the plan, in whatever order they come.
    fsx.inject(Fault.shuffled_listing(), operation="DescribeBackups", next_calls=2)
    fsx.inject(Fault.empty_listing(), operation="DescribeBackups", next_calls=1000)
    event = await _event(_operator(**members, prune=True), clock)
    assert event["Plans"][0]["ToPrune"]
    assert {"PruneSkipped"} == {one["Outcome"] for one in event["Outcomes"]}
    assert (False, False) == (event["IsGood"], event["RetryHelps"])


async def test_a_killed_sync_says_what_continues(fsx: LocalFsx, clock: ManualClock) -> None:
    """The copies that it has seen in progress continue at the service."""
    fsx.add_backup(SOURCE_REGION)
    operator = _operator(policy=_POLICY, source_region=SOURCE_REGION)
    trigger = on_clock(deferred(operator, context()).trigger, clock)
    assert () == trigger.left
    running = asyncio.ensure_future(trigger.event())
    while not trigger.left or trigger.is_unanswered:  # noqa: ASYNC110 - nothing tells
        await asyncio.sleep(0)
    running.cancel()
    await asyncio.wait([running])
    assert [one["BackupId"] for one in copies(fsx)] == [one.backup_id for one in trigger.left]


@pytest.mark.timeout(30)
async def test_the_file_is_read_once(tmp_path: Path, fsx: LocalFsx, clock: ManualClock) -> None:
    """What is checked is what is synced: a pipe has nothing to read for a second time."""
    file = tmp_path / "fsxcopy.toml"
    os.mkfifo(file)
    writer = threading.Thread(target=file.write_text, args=(_FLEET,), daemon=True)
    writer.start()
    trigger = deferred(_operator(config=str(file)), context()).trigger
    writer.join()
    assert (await event_of(trigger, clock))["Plans"]
    assert {"DescribeBackups"} == set(fsx.calls)


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("version", r"fsxcopy\.toml: cannot be read as TOML"),
        ("versions = 1", "versions"),
        (_FLEET.replace("newest", "newst"), r"policy\[0\]\.newst"),
    ],
)
def test_an_error_of_a_file_says_where_it_is(tmp_path: Path, text: str, rule: str) -> None:
    """It names the file where that is none of a fleet, and the member else."""
    file = tmp_path / "fsxcopy.toml"
    file.write_text(text)
    with pytest.raises(AirflowFailException, match=rule):
        _operator(config=str(file)).execute(context())


async def test_a_sync_that_is_killed_in_its_request_says_what_it_asked_for(
    fsx: LocalFsx, clock: ManualClock, capsys: pytest.CaptureFixture[str]
) -> None:
    """The answer may name a copy that was accepted: the log has the source and the token."""
    source = fsx.add_backup(SOURCE_REGION)
    fsx.inject(Fault.delay(5.0), operation="CopyBackup", after=True)
    operator = _operator(policy=_POLICY, source_region=SOURCE_REGION)
    trigger = on_clock(deferred(operator, context()).trigger, clock)
    running = asyncio.ensure_future(trigger.event())
    while not copies(fsx):  # noqa: ASYNC110 - nothing tells
        await asyncio.sleep(0)
    running.cancel()
    await asyncio.wait([running])
    await trigger.on_kill()
    text = f"continue at the service: perhaps a copy of {source}, with the token {tokens(fsx)[0]}"
    assert text in capsys.readouterr().out


@pytest.mark.parametrize(
    ("members", "rule"),
    [
        ({}, "config, policy: must be one of them, not neither"),
        ({"config": "a", "policy": {}}, "config, policy: must be one of them, not both"),
        ({"config": "a", "prune": True}, "source_region, prune"),
        ({"config": "a", "source_region": "us-east-2"}, "source_region, prune"),
    ],
)
def test_arguments_that_contradict_each_other(members: dict[str, Any], rule: str) -> None:
    """They are found when the DAG is parsed."""
    with pytest.raises(InvalidArguments, match=rule):
        _operator(**members)


@pytest.mark.parametrize(
    ("members", "rule"),
    [
        ({"config": "/no/such/file.toml"}, "/no/such/file.toml"),
        ({"policy": {"Name": "x", "Newst": 1}, "source_region": SOURCE_REGION}, "Newst"),
        ({"policy": {"Name": "x"}}, "region"),
        ({"policy": {"Name": "x"}, "source_region": SOURCE_REGION, "prune": True}, "keep"),
    ],
)
def test_wrong_policies_fail_the_task_for_good(
    members: dict[str, Any], rule: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are found by the task, before anything is sent."""
    monkeypatch.setenv("AIRFLOW_CONN_AWS_LOCAL", '{"extra": {"region_name": "us-west-2"}}')
    with pytest.raises(AirflowFailException, match=rule):
        _operator(**members).execute(context())
