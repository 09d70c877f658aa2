"""
Compare what retentions keep with what restic keeps: ``compare.py [HISTORIES] [SEED]``.

`nox -s restic` runs it. Each history is the snapshots of one host in a repository that has a
snapshot file for each and no data, so that one `restic forget --dry-run` answers for all
histories. Beside the snapshots the rules are compared by which each is kept.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from zoneinfo import ZoneInfo

import attrs
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CTR, ECB
from cryptography.hazmat.primitives.poly1305 import Poly1305
from replication_rig import POLICY, backup, copy_of, planned

from fsxcopy_sdk.replication import Keep

PASSWORD = "restic"
RULES = ("last", "hourly", "daily", "weekly", "monthly", "yearly")
RETENTIONS = {
    "UTC": 20,
    "Europe/Berlin": 5,
    "America/New_York": 5,
    "Asia/Kolkata": 5,
    "Australia/Lord_Howe": 5,  # its summer time is half an hour
    "Pacific/Auckland": 5,
}
"""The time zones that are tried, and with how many retentions each."""

Kept = dict[datetime, set[str]]
"""When what is kept was made, and the rules that keep it."""


@attrs.frozen
class Key:
    """A key of restic's: AES-256 in counter mode, and Poly1305-AES over the result."""

    encrypt: bytes
    k: bytes
    r: bytes

    @classmethod
    def of(cls, secret: bytes) -> Key:
        """Return the key that 64 bytes are."""
        return cls(secret[:32], secret[32:48], secret[48:])

    def seal(self, document: object) -> bytes:
        """Return *document* as the content of a file in a repository."""
        nonce = os.urandom(16)
        hidden = Cipher(AES(self.encrypt), CTR(nonce)).encryptor()
        text = hidden.update(json.dumps(document).encode())
        masked = Cipher(AES(self.k), ECB()).encryptor().update(nonce)
        return nonce + text + Poly1305.generate_tag(self.r + masked, text)


def _in_base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _write(folder: Path, content: bytes) -> None:
    (folder / hashlib.sha256(content).hexdigest()).write_bytes(content)


def _new_repository(folder: Path) -> Key:
    """Make an empty repository, and return its key; its password is checked without delay."""
    for name in ("data", "index", "keys", "locks", "snapshots"):
        (folder / name).mkdir(parents=True)
    master, salt = Key.of(os.urandom(64)), os.urandom(64)
    user = Key.of(hashlib.scrypt(PASSWORD.encode(), salt=salt, n=16, r=8, p=1, dklen=64))
    mac = {"k": _in_base64(master.k), "r": _in_base64(master.r)}
    secret = user.seal({"mac": mac, "encrypt": _in_base64(master.encrypt)})
    key = {
        "created": "2026-01-01T00:00:00Z",
        "username": "fsx",
        "hostname": "fsx",
        "kdf": "scrypt",
        "N": 16,
        "r": 8,
        "p": 1,
        "salt": _in_base64(salt),
        "data": _in_base64(secret),
    }
    _write(folder / "keys", json.dumps(key).encode())
    # The polynomial is the one of restic's own documentation.
    config = {"version": 1, "id": os.urandom(32).hex(), "chunker_polynomial": "25b468838dcb75"}
    (folder / "config").write_bytes(master.seal(config))
    return master


def _fill(folder: Path, key: Key, histories: list[list[datetime]], zone: str) -> None:
    """Add a snapshot for each time of each history, as a machine in *zone* writes it."""
    for number, history in enumerate(histories):
        for moment in history:
            local = moment.astimezone(ZoneInfo(zone)).isoformat().replace("+00:00", "Z")
            snapshot = {"time": local, "tree": "0" * 64, "paths": ["/"], "hostname": f"{number}"}
            _write(folder / "snapshots", key.seal(snapshot))


def _history(draw: Random) -> list[datetime]:
    """Make times, the newest first, in one of several manners; none comes twice."""
    start = datetime(2025, 12, 31, tzinfo=UTC) - timedelta(days=draw.randrange(3000))
    hour, second = draw.randrange(24), draw.randrange(86400)
    start += timedelta(seconds=draw.choice([0, 0, 3600 * hour, second]))
    if draw.random() < 0.3:  # around the days on which clocks change, and new years
        month, day = draw.choice([(3, 9), (3, 30), (4, 6), (9, 28), (10, 26), (11, 2), (1, 3)])
        start = start.replace(month=month, day=day)
    steps = draw.choice(
        [[1], [1800], [3600], [86400], [7 * 86400], [86400 * 30], [60, 3600, 86400, 86400 * 30]]
    )
    moments = {start}
    moment = start
    for _ in range(draw.randrange(40)):
        gap = draw.choice(steps) * draw.choice([1, 1, 1, 2, 3])
        moment -= timedelta(seconds=gap + draw.choice([0, 0, 0, -1, 1, draw.randrange(600)]))
        moments.add(moment)
    return sorted(moments, reverse=True)


def _keep(draw: Random, zone: str) -> Keep:
    """Make a retention of one to four rules."""
    # restic subtracts `within` on the clock of the zone, which an hour that comes twice misleads.
    rules = [*RULES, "within"] if zone == "UTC" else RULES
    names = draw.sample(rules, draw.choice([1, 1, 2, 3, 4]))
    counts = {name: draw.choice([1, 2, 3, 5, 7, 12]) for name in names if name != "within"}
    hours = draw.choice([1, 24, 36, 7 * 24, 30 * 24, 365 * 24]) if "within" in names else None
    within = None if hours is None else timedelta(hours=hours)
    return Keep(**counts, within=within, time_zone=zone)


def _of_restic(folder: Path, keep: Keep) -> tuple[dict[int, Kept], int]:
    """Return what restic keeps of each history, and how often only by being the oldest."""
    options = [f"--keep-{rule}={count}" for rule in RULES if (count := getattr(keep, rule))]
    if keep.within is not None:
        options.append(f"--keep-within={keep.within / 3600:.0f}h")
    done = subprocess.run(
        [
            *("restic", "forget", "--dry-run", "--json", "--no-cache", "--no-lock", "--quiet"),
            *("--repo", str(folder), "--group-by", "host", *options),
        ],
        env={**os.environ, "RESTIC_PASSWORD": PASSWORD, "TZ": keep.time_zone},
        stdout=subprocess.PIPE,
        check=True,
    )
    found: dict[int, Kept] = {}
    oldest = 0
    for group in json.loads(done.stdout):
        kept = found.setdefault(int(group["host"]), {})
        for reason in group["reasons"]:
            # From 0.16.0 the oldest is kept too while a rule has counted fewer than it may.
            matches = [one.split()[0] for one in reason["matches"]]
            rules = {one for one in matches if one != "oldest"}
            oldest += not rules
            if rules:
                moment = datetime.fromisoformat(reason["snapshot"]["time"])
                kept[moment.astimezone(UTC)] = rules
        assert len(group["keep"]) == len(group["reasons"])
    return found, oldest


def _of_ours(keep: Keep, history: list[datetime]) -> Kept:
    """Return what we keep of a file system with copies of backups made then."""
    made = [
        attrs.evolve(backup(number), creation_time=moment) for number, moment in enumerate(history)
    ]
    copies = [copy_of(one, 1000 + number) for number, one in enumerate(made)]
    plan = planned(attrs.evolve(POLICY, keep=keep), made[:1], copies)
    pruned = len(plan.to_prune) + len(plan.held_back)
    assert len(history) == len(plan.kept) + pruned
    # The newest of all is kept whatever the rules say.
    return {one.recovery_point: {*one.rules} - {"newest", "selected"} for one in plan.kept}


def _differences(
    folder: Path, keep: Keep, histories: list[list[datetime]]
) -> Iterator[tuple[int, Kept, Kept]]:
    theirs, oldest = _of_restic(folder, keep)
    kept = 0
    for number, history in enumerate(histories):
        ours = _of_ours(keep, history)
        kept += len(ours)
        if ours != theirs.get(number):
            yield number, ours, theirs.get(number, {})
    total = sum(map(len, histories))
    also = f", restic also {oldest} as the oldest" if oldest else ""
    print(f"  {_shown(keep)}: {kept} of {total} kept{also}")


def _shown(keep: Keep) -> str:
    texts = [f"{rule} {count}" for rule in RULES if (count := getattr(keep, rule))]
    return ", ".join([*texts, f"within {keep.within / 3600:.0f} h"] if keep.within else texts)


def main(count: int = 1000, seed: int = 1) -> int:
    """Compare *count* histories in each time zone, and return 1 if any differs."""
    begun, compared, differ = time.monotonic(), 0, 0
    subprocess.run(["restic", "version"], check=True)
    for zone, retentions in RETENTIONS.items():
        draw = Random(f"{seed} {zone}")
        histories = [_history(draw) for _ in range(count)]
        with TemporaryDirectory() as name:
            folder = Path(name)
            _fill(folder, _new_repository(folder), histories, zone)
            print(f"{zone}: {count} histories, {sum(map(len, histories))} snapshots")
            for _ in range(retentions):
                keep = _keep(draw, zone)
                for number, ours, theirs in _differences(folder, keep, histories):
                    differ += 1
                    print(f"  history {number} differs, {keep}")
                    for moment in histories[number]:
                        print(f"    {moment}: {ours.get(moment)}, restic {theirs.get(moment)}")
                compared += count
    seconds = time.monotonic() - begun
    print(f"{compared} comparisons, {differ} differ, in {seconds:.0f} s")
    return int(differ > 0)


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
