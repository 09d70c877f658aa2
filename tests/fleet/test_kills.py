"""
A sync of a fleet that is killed, whenever that may be, and started again until it is done.

The service and the STS outlive the commands: they run in the process of the test. There are three
accounts, one of them without credentials, four Regions and six policies. `nox -s kill` does it a
hundred times, an ordinary run a few times.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
from collections import Counter
from pathlib import Path
from typing import Any

import attrs
import pytest
from cli_rig import FSXCOPY
from fleet_rig import PROFILE_ACCOUNT, ROLE, ROLE_ACCOUNT, Sts, add_accounts
from kill_rig import DAY, NEWEST, add_old_copy, kill_at_some_time, troubled_fsx

from fsxcopy_sdk.testing import LocalFsx

KILLS = int(os.environ.get("FSXCOPY_TEST_KILLS", "4"))
EAST, OHIO, WEST, IRELAND = REGIONS = ("us-east-1", "us-east-2", "us-west-2", "eu-west-1")
KILL_AFTER = [range(1), range(1, 13), range(8, 40), range(20, 80), range(20, 140)]
"""How many of its requests a sync survives: its plans are twelve or more."""

FILE = f"""\
version = 1
[defaults]
newest = 3
keep = {{ last = 3 }}
prune = true

[[policy]]
name = "role-east"
source = {{ region = "{EAST}", role_arn = "{ROLE}" }}
destination = [{{ region = "{WEST}" }}, {{ region = "{IRELAND}" }}]
[[policy]]
name = "role-ohio"
source = {{ region = "{OHIO}", role_arn = "{ROLE}" }}
destination = [{{ region = "{WEST}" }}]
[[policy]]
name = "prod-east"
source = {{ region = "{EAST}", profile = "prod" }}
destination = [{{ region = "{WEST}" }}]
[[policy]]
name = "prod-ohio"
source = {{ region = "{OHIO}", profile = "prod" }}
destination = [{{ region = "{WEST}" }}, {{ region = "{EAST}" }}]
[[policy]]
name = "empty-east"
source = {{ region = "{EAST}", profile = "empty" }}
destination = [{{ region = "{WEST}" }}]
[[policy]]
name = "empty-ohio"
source = {{ region = "{OHIO}", profile = "empty" }}
destination = [{{ region = "{IRELAND}" }}]
"""
POLICIES = (
    ("role-east", ROLE_ACCOUNT, EAST, (WEST, IRELAND)),
    ("role-ohio", ROLE_ACCOUNT, OHIO, (WEST,)),
    ("prod-east", PROFILE_ACCOUNT, EAST, (WEST,)),
    ("prod-ohio", PROFILE_ACCOUNT, OHIO, (WEST, EAST)),
)
DENIED = 3
Place = tuple[str, str]


@attrs.frozen
class World:
    """A local FSx with backups of two accounts of the file, and of one that it does not name."""

    fsx: LocalFsx
    file: Path
    selected: dict[Place, set[str]]
    """What shall have a copy, by account and Region."""
    begun: dict[Place, set[str]]
    """What was there before, by account and Region, without what shall be pruned."""

    @classmethod
    def stocked(cls, file: Path, seed: int) -> World:
        """Make a service that is overloaded now and then, and loses answers."""
        fsx = troubled_fsx(seed, being_copied_for=0)
        world = cls(fsx, file, {}, {})
        for name, account, source, destinations in POLICIES:
            world._add(name, account, source, destinations)
        for region in REGIONS:
            fsx.add_backup(region, account="333333333333")
        accounts = (ROLE_ACCOUNT, PROFILE_ACCOUNT, "333333333333")
        world.begun.update(
            ((account, region), _ids(fsx, account, region, is_old_copy=False))
            for account in accounts
            for region in REGIONS
        )
        return world

    def _add(self, name: str, account: str, source: str, destinations: tuple[str, ...]) -> None:
        """Add two file systems of four backups each, and two old copies in each destination."""
        for number in range(2):
            file_system_id = f"fs-{number}{self.fsx.seed:02x}{abs(hash_of(name)):014x}"
            backups = [
                self.fsx.add_backup(
                    source,
                    account=account,
                    CreationTime=NEWEST - age * DAY,
                    FileSystem={"FileSystemId": file_system_id},
                )
                for age in range(4)
            ]
            for region in destinations:
                self.selected.setdefault((account, region), set()).update(backups[:3])
                for month in (1, 2):
                    add_old_copy(
                        self.fsx,
                        file_system_id,
                        month,
                        policy=name,
                        source=source,
                        destination=region,
                        account=account,
                    )

    def check(self) -> None:
        """Check that each selected backup has one copy, that old ones are gone, and no more."""
        for (account, region), before in self.begun.items():
            held = self.fsx.backups(region, account=account)
            copies = [one for one in held if str(one["BackupId"]) not in before]
            wanted = self.selected.get((account, region), set())
            found = Counter(str(one["SourceBackupId"]) for one in copies)
            assert dict.fromkeys(wanted, 1) == found
            assert {"AVAILABLE"} >= {one["Lifecycle"] for one in held}
            assert before <= {str(one["BackupId"]) for one in held}
            assert self.fsx.max_copies_in_progress_seen(region, account=account) <= 5

    async def run(self, *arguments: str) -> asyncio.subprocess.Process:
        """Start a command with the file."""
        options = ("--config", str(self.file), "--endpoint-url", self.fsx.endpoint_url)
        return await asyncio.create_subprocess_exec(
            *(FSXCOPY, *arguments, *options, "--output", "json", "--quiet"),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )

    async def finish(self, *arguments: str) -> tuple[int | None, Any]:
        """Run a command, and return its exit code and its document."""
        process = await self.run(*arguments)
        output, _ = await process.communicate()
        return process.returncode, json.loads(output)

    async def kill(self, draw: random.Random) -> str:
        """Start a sync, kill it at some time, and return what it was at."""
        process = await self.run(*SYNC)
        _, stage = await kill_at_some_time(process, self.fsx, draw, KILL_AFTER)
        return stage if process.returncode == -signal.SIGKILL else "not killed"


SYNC = ("sync", "--min-delay", "0.05")


def hash_of(name: str) -> int:
    """Return a small number for a name, the same in every process."""
    return sum(map(ord, name))


def _ids(fsx: LocalFsx, account: str, region: str, *, is_old_copy: bool) -> set[str]:
    held = fsx.backups(region, account=account)
    return {str(one["BackupId"]) for one in held if ("SourceBackupId" in one) is is_old_copy}


def _planned(document: Any) -> dict[tuple[str, str], set[str]]:
    """Return what plans will copy, by policy and destination."""
    return {
        (one["Policy"]["Name"], one["DestinationRegion"]): {
            copy["Backup"]["BackupId"] for copy in one.get("ToCopy", ())
        }
        for one in document["Plans"]
    }


async def test_a_killed_sync_of_a_fleet(sts: Sts, tmp_path: Path) -> None:
    """Killed at any time and started again, it does what the plan said, and nothing twice."""
    draw = random.Random(14)
    ends: Counter[str] = Counter()
    file = tmp_path / "fsxcopy.toml"
    await asyncio.to_thread(file.write_text, FILE)
    seed = 0
    while ends.total() - ends["not killed"] < KILLS:
        world = World.stocked(file, seed)
        seed += 1
        async with world.fsx:
            add_accounts(world.fsx)
            sts.assumed.clear()
            await _kill_until_done(world, draw, ends)
    print(f"{dict(ends)} in {seed} worlds")  # noqa: T201 - shown by -rP


async def _kill_until_done(world: World, draw: random.Random, ends: Counter[str]) -> None:
    code, plan = await world.finish("plan")
    assert DENIED == code
    planned = _planned(plan)
    for name, account, _, destinations in POLICIES:
        for region in destinations:
            assert planned[name, region] <= world.selected[account, region]
    for place, wanted in world.selected.items():
        names = [
            (name, place[1])
            for name, account, _, regions in POLICIES
            if account == place[0] and place[1] in regions
        ]
        assert wanted == set[str]().union(*(planned[one] for one in names))
    for _ in range(4):
        ends[await world.kill(draw)] += 1
    for _ in range(4):
        code, document = await world.finish(*SYNC)
        failures = [one for one in document["Outcomes"] if one["Outcome"] == "PolicyFailure"]
        assert ["empty-east", "empty-ohio"] == sorted(one["PolicyName"] for one in failures)
        assert {"CredentialsUnavailable"} == {one["Error"]["Type"] for one in failures}
        if len(document["Outcomes"]) == len(failures):
            break
    assert DENIED == code
    world.check()
    code, report = await world.finish("report")
    assert ["empty-east", "empty-ohio"] == [one["PolicyName"] for one in report["Failures"]]
    assert 6 == len(report["Reports"])


async def test_there_is_something_to_do(tmp_path: Path) -> None:
    """The killed syncs have copies to make, and old ones to prune."""
    world = World.stocked(tmp_path / "unused", 0)
    assert 36 == sum(map(len, world.selected.values()))
    old = [
        one
        for (account, region) in world.begun
        for one in _ids(world.fsx, account, region, is_old_copy=True)
    ]
    assert 24 == len(old)
    with pytest.raises(AssertionError):
        world.check()
