"""The policies of the page on permissions are what each task needs, and no more."""

from __future__ import annotations

import json
from typing import Any

import attrs
import pytest
from aiobotocore.session import AioSession
from pages_rig import DOCS, programs

from fsxcopy_sdk import FsxCopyClient
from fsxcopy_sdk.bulk import CopyRequest, copy_many
from fsxcopy_sdk.replication import (
    POLICY_TAG,
    Keep,
    ReplicationPolicy,
    apply_plan,
    plan_replication,
)
from fsxcopy_sdk.testing import LocalFsx, ManualClock

PAGE = DOCS / "how-to" / "permissions.md"
REPORT, SYNC, PRUNE, DENY, KEYS, ROLES = (json.loads(text) for text in programs(PAGE, "json"))
POLICY = ReplicationPolicy(name="nightly", newest=None, keep=Keep(last=1))


def _actions(policy: dict[str, Any]) -> set[str]:
    actions = set()
    for statement in policy["Statement"]:
        given = statement["Action"]
        actions |= {given} if isinstance(given, str) else set(given)
    return actions


def _called(fsx: LocalFsx) -> set[str]:
    """Return the permissions that IAM asks for: one for each operation, and one for tags."""
    called = {f"fsx:{operation}" for operation in fsx.calls}
    if any(one.body.get("Tags") for one in fsx.requests):
        called.add("fsx:TagResource")
    return called


@attrs.frozen
class _Regions:
    fsx: LocalFsx
    source: FsxCopyClient
    destination: FsxCopyClient

    async def report(self) -> None:
        await plan_replication(self.source, self.destination, POLICY)

    async def copy(self) -> None:
        backup_id = str(self.fsx.backups("us-east-2")[0]["BackupId"])
        request = CopyRequest(
            source_backup_id=backup_id, source_region="us-east-2", tags={"a": "b"}
        )
        async with copy_many(self.destination, [request]) as copies:
            async for outcome in copies:
                assert outcome.backup

    async def sync(self, policy: ReplicationPolicy = POLICY, *, prune: bool = False) -> None:
        plan = await plan_replication(self.source, self.destination, policy)
        async with apply_plan(plan, self.destination, source=self.source, prune=prune) as applied:
            outcomes = [one async for one in applied]
        assert outcomes
        assert [None] * len(outcomes) == [one.error for one in outcomes]

    async def prune(self) -> None:
        # Copies first, of which the second run keeps the newest.
        await self.sync()
        await self.sync(attrs.evolve(POLICY, newest=1), prune=True)


@pytest.mark.parametrize(
    ("task", "policy"),
    [("report", REPORT), ("copy", SYNC), ("sync", SYNC), ("prune", PRUNE)],
    ids=["report", "copy", "sync", "prune"],
)
async def test_the_policy_allows_what_is_called_and_no_more(
    session: AioSession, clock: ManualClock, task: str, policy: dict[str, Any]
) -> None:
    """Each operation that the task calls is allowed, and each that is allowed is called."""
    async with LocalFsx(clock=clock) as fsx:
        for days in range(3):
            fsx.add_backup(
                "us-east-2",
                CreationTime=1.7e9 - days * 86400,
                FileSystem={"FileSystemId": "fs-0123456789abcdef0"},
            )
        source = FsxCopyClient(
            "us-east-2", session=session, endpoint_url=fsx.endpoint_url, clock=clock
        )
        async with source, source.with_region("us-west-2") as destination:
            await getattr(_Regions(fsx, source, destination), task)()

        assert _actions(policy) == _called(fsx)


def test_only_copies_of_the_policy_can_be_deleted() -> None:
    """The condition names the tags that copies really have."""
    (statement,) = (one for one in PRUNE["Statement"] if one["Action"] == "fsx:DeleteBackup")
    condition = statement["Condition"]
    assert condition["StringEquals"] == {f"aws:ResourceTag/{POLICY_TAG}": POLICY.name}
    assert condition["Null"] == {f"aws:ResourceTag/{POLICY.keep_tag}": "true"}


def test_the_tags_are_denied() -> None:
    """The statement covers the tags of this package."""
    (pattern,) = [DENY["Condition"]["ForAnyValue:StringLike"]["aws:TagKeys"]]
    assert POLICY_TAG.startswith(pattern.removesuffix("*"))
    assert POLICY.keep_tag.startswith(pattern.removesuffix("*"))


@pytest.mark.parametrize("document", [KEYS, ROLES, DENY], ids=["keys", "roles", "deny"])
def test_the_statements_are_whole(document: dict[str, Any]) -> None:
    """Each has an effect, actions and resources."""
    assert {"Effect", "Action", "Resource"} <= document.keys()
