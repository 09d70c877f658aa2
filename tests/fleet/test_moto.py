"""Roles that moto's STS lends, which we did not write: by a policy, and by a profile."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from fleet_rig import ROLE, sources_of

from fsxcopy_sdk._transport import direct_config
from fsxcopy_sdk.bulk import Copied
from fsxcopy_sdk.fleet import (
    AccountClients,
    Fleet,
    FleetOutcome,
    FleetPolicy,
    PolicyDestination,
    PolicySource,
    sync_fleet,
)
from fsxcopy_sdk.testing import LocalFsx, ManualClock

server = pytest.importorskip("moto.server", reason="moto is installed by `nox -s moto`")

# The shortest that STS lends, and less than the fifteen minutes before its end at which
# botocore renews credentials: so they are renewed for every call.
SHORTEST = 900


@pytest.fixture(name="sts", scope="module")
def _sts() -> Iterator[str]:
    running = server.ThreadedMotoServer("127.0.0.1", port=0)
    running.start()
    host, port = running.get_host_and_port()
    yield f"http://{host}:{port}"
    running.stop()


@pytest.mark.parametrize(
    "source",
    [
        PolicySource(region="us-east-2", role_arn=ROLE, external_id="secret-word"),
        PolicySource(region="us-east-2", profile="dr"),
    ],
    ids=["of a policy", "of a profile"],
)
async def test_copies_of_half_an_hour(
    sts: str,
    source: PolicySource,
    clock: ManualClock,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    """Credentials of a role carry a sync to its end, renewed as often as they must be."""
    (tmp_path / "config").write_text(
        "[default]\naws_access_key_id = AKIABASE\naws_secret_access_key = x\n"
        f"[profile dr]\nsource_profile = default\nrole_arn = {ROLE}\n"
        f"duration_seconds = {SHORTEST}\n"
    )
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_ENDPOINT_URL_STS", sts)
    assumed: list[object] = []
    policy = FleetPolicy(
        name="dr",
        source=source,
        destination=(PolicyDestination(region="us-west-2"),),
        newest="all",
    )
    async with LocalFsx(clock=clock, copy_duration=1800.0, one_account=True) as fsx:
        for _ in range(6):
            fsx.add_backup("us-east-2")
        connect = AccountClients(
            endpoint_url=fsx.endpoint_url,
            config=direct_config(),
            clock=clock,
            prepare=lambda session: session.register(
                "before-send.sts.AssumeRole", lambda **_: assumed.append(1)
            ),
        )
        async with sync_fleet(Fleet(policies=[policy]), connect=connect) as synced:
            outcomes = [event.outcome async for event in synced if isinstance(event, FleetOutcome)]

        assert [Copied] * 6 == [type(one) for one in outcomes]
        assert {1} == set(sources_of(fsx, "us-west-2").values())
    if source.profile is None:
        assert 1 == len(assumed)  # for an hour, and this takes seconds by STS's clock
    else:
        assert len(assumed) > 10
