"""The local FSx itself: settings, lifetime, and the methods for tests."""

import inspect
import json
import re
import secrets
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta, timezone

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import BotoCoreError

from fsxcopy_sdk.testing import (
    DEFAULT_ACCOUNT,
    EXAMPLE_BACKUP,
    EXAMPLE_REGION,
    Fault,
    LocalFsx,
    ManualClock,
)

# Lifetime


async def test_listens_on_loopback() -> None:
    """It serves on a free port of 127.0.0.1."""
    async with LocalFsx() as fsx:
        assert re.fullmatch(r"http://127\.0\.0\.1:\d+", fsx.endpoint_url)


async def test_port_is_a_setting(connect, fsx) -> None:
    """It uses the given port, and raises if that is taken."""
    port = int(fsx.endpoint_url.rpartition(":")[2])
    with pytest.raises(OSError, match="in use"):
        await LocalFsx(port=port).__aenter__()


async def test_no_endpoint_outside() -> None:
    """Before and after it serves there is no endpoint."""
    fsx = LocalFsx()
    async with fsx:
        pass
    with pytest.raises(RuntimeError, match="only inside"):
        fsx.endpoint_url  # noqa: B018 - a property that raises


async def test_serves_once_at_a_time(fsx) -> None:
    """While it serves it cannot be entered again."""
    with pytest.raises(RuntimeError, match="serves already"):
        await fsx.__aenter__()


async def test_backups_outlive_the_server(connect) -> None:
    """Its backups outlive the `async with`."""
    fsx = LocalFsx()
    async with fsx:
        backup_id = fsx.add_backup("us-west-2")
    async with fsx:
        answer = await connect(fsx)("describe_backups")
    assert [backup_id] == [backup["BackupId"] for backup in answer["Backups"]]


async def test_exit_without_enter() -> None:
    """Exiting without entering does nothing."""
    assert await LocalFsx().__aexit__(None, None, None) is None
    assert LocalFsx().__exit__(None, None, None) is None


# In a thread


def test_serves_from_a_thread() -> None:
    """`with` serves programs without an event loop, as often as it is entered."""
    fsx = LocalFsx(copy_duration=0)
    source = fsx.add_example_backup()
    for number in range(2):
        with fsx as served:
            assert served is fsx
            west = boto3.client(
                "fsx",
                "us-west-2",
                endpoint_url=fsx.endpoint_url,
                aws_access_key_id="AKIDEXAMPLE",
                aws_secret_access_key="any",
            )
            west.copy_backup(SourceBackupId=source, SourceRegion=EXAMPLE_REGION)
            assert number + 1 == len(west.describe_backups()["Backups"])
            west.close()
        with pytest.raises(RuntimeError, match="only inside"):
            fsx.endpoint_url  # noqa: B018 - a property that raises
    assert [source] * 2 == [copy["SourceBackupId"] for copy in fsx.backups("us-west-2")]


def test_serves_once_at_a_time_from_a_thread() -> None:
    """While it serves it cannot be entered again, and its port is taken."""
    with LocalFsx() as fsx:
        with pytest.raises(RuntimeError, match="serves already"):
            fsx.__enter__()
        port = int(fsx.endpoint_url.rpartition(":")[2])
        with pytest.raises(OSError, match="in use"):
            LocalFsx(port=port).__enter__()
        assert fsx.endpoint_url.endswith(f":{port}")


def test_delayed_call_does_not_delay_the_end() -> None:
    """A call that waits for the clock is cancelled when the server stops."""
    with LocalFsx(clock=ManualClock()) as fsx, ThreadPoolExecutor() as threads:
        fsx.inject(Fault.delay(1000))
        west = boto3.client(
            "fsx",
            "us-west-2",
            endpoint_url=fsx.endpoint_url,
            aws_access_key_id="AKIDEXAMPLE",
            aws_secret_access_key="any",
            config=Config(retries={"total_max_attempts": 1}),
        )
        call = threads.submit(west.describe_backups)
        while not fsx.calls:
            time.sleep(0.01)
        fsx.__exit__(None, None, None)
        with pytest.raises(BotoCoreError):
            call.result()
        west.close()


def test_changes_between_calls() -> None:
    """What a test does in one thread waits for the call that is served in another."""
    with LocalFsx(copy_duration=0) as fsx, ThreadPoolExecutor() as threads:
        source = fsx.add_backup("us-west-2")
        calls = [
            threads.submit(fsx.call, "us-west-2", operation, request)
            for _ in range(200)
            for operation, request in (
                ("CopyBackup", {"SourceBackupId": source}),
                ("DescribeBackups", {}),
                ("DescribeFileSystems", {}),
            )
        ]
        for number in range(200):
            fsx.add_backup("us-west-2", FileSystem={"FileSystemId": f"fs-{number:08x}"})
            fsx.backups("us-west-2")
        assert {200} == {call.result()[0] for call in calls}
    assert 401 == len(fsx.backups("us-west-2"))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"copy_duration": -1}, "copy_duration must be finite and zero or more"),
        ({"copy_duration": float("nan")}, "copy_duration must be finite"),
        ({"copy_duration": timedelta(seconds=-1)}, "copy_duration must be finite"),
        ({"backup_being_copied_for": -1}, "backup_being_copied_for must be finite"),
        (
            {"progress": "sideways"},
            "progress must be 'linear', 'slow-start', 'fast-start', 'steps' or 'none', not",
        ),
        ({"max_copies_in_progress": 0}, "max_copies_in_progress must be 1 or more, not 0"),
        ({"max_volume_copies_in_progress": 0}, "max_volume_copies_in_progress must be 1 or more"),
        ({"max_user_initiated_backups": -1}, "max_user_initiated_backups must be 0 or more"),
        ({"unknown_ids": "ignore"}, "unknown_ids must be 'error' or 'omit'"),
        ({"unseen_for": -1}, "unseen_for must be zero or more, not -1"),
        ({"unseen_for": timedelta(seconds=-1)}, "unseen_for must be zero or more"),
        ({"unseen_by": "name"}, "unseen_by must be 'all', 'id' or 'listing', not 'name'"),
        ({"tokens_remembered_for": -1}, "tokens_remembered_for must be zero or more"),
        ({"tokens_remembered_for": float("nan")}, "tokens_remembered_for must be zero or more"),
        ({"page_size": 51}, "page_size must be 1 to 50, not 51"),
        ({"port": 65536}, "port must be 0 to 65535"),
        ({"started_at": datetime.fromisoformat("2021-04-09")}, "started_at must have a time zone"),
    ],
)
def test_bad_settings(arguments, message) -> None:
    """A setting that breaks its rule is refused by name."""
    with pytest.raises(ValueError, match=re.escape(message)):
        LocalFsx(**arguments)


WRONG_TYPES = {
    "clock": [time, "clock", 0, ManualClock],
    "copy_duration": ["300", None, True, [1]],
    "progress": [None, 5, ["linear"]],
    "max_copies_in_progress": ["5", None, 5.0, True],
    "max_volume_copies_in_progress": ["5", None, 5.0, True],
    "max_user_initiated_backups": ["5", 5.0, False],
    "backup_being_copied_for": ["60", None, False],
    "every_stage": ["yes", 1, None],
    "unknown_ids": [None, 5, ["omit"]],
    "unseen_for": ["60", None, True],
    "unseen_by": [None, 5, ["id"]],
    "tokens_remembered_for": ["60", None, True],
    "page_size": ["50", None, 50.0, True],
    "started_at": ["2026-01-01", 0, datetime.date(datetime.now(UTC))],
    "one_account": ["yes", 1, None],
    "allow_any_region": ["yes", 1, None],
    "allow_any_kms_key": ["yes", 1, None],
    "port": ["80", None, 80.0, True],
    "seed": ["0", None, 0.5, True],
}


@pytest.mark.parametrize(
    ("name", "value"), [(name, value) for name, values in WRONG_TYPES.items() for value in values]
)
def test_settings_of_another_type(name, value) -> None:
    """A setting that is not of its type is refused by name, with what it was."""
    with pytest.raises((TypeError, ValueError)) as caught:
        LocalFsx(**{name: value})
    assert str(caught.value).startswith(f"{name} must ")
    assert repr(value) in str(caught.value)


def test_every_setting_has_a_type() -> None:
    """The test above knows every setting."""
    assert set(WRONG_TYPES) == set(inspect.signature(LocalFsx).parameters)


@pytest.mark.parametrize("setting", ["copy_duration", "unseen_for"])
def test_durations_of_a_function(setting) -> None:
    """What a function of a backup returns is checked as a duration is."""
    durations = iter([timedelta(seconds=30), "30", -30])
    fsx = LocalFsx(**{setting: lambda _: next(durations)})
    request = {"SourceBackupId": fsx.add_example_backup("us-west-2")}

    assert 200 == fsx.call("us-west-2", "CopyBackup", request)[0]
    with pytest.raises(TypeError, match=f"{setting} must be seconds or a timedelta, not '30'"):
        fsx.call("us-west-2", "CopyBackup", request)
    with pytest.raises(ValueError, match=f"{setting} must be .*zero or more, not -30"):
        fsx.call("us-west-2", "CopyBackup", request)


def test_settings_stay() -> None:
    """A setting can be read, and does not change."""
    fsx = LocalFsx(page_size=2)
    assert 2 == fsx.page_size
    with pytest.raises(AttributeError):
        fsx.page_size = 3


async def test_duration_as_timedelta(connect) -> None:
    """A duration may be a timedelta."""
    clock = ManualClock()
    async with LocalFsx(clock=clock, copy_duration=timedelta(minutes=2)) as fsx:
        await connect(fsx)(
            "copy_backup", SourceBackupId=fsx.add_example_backup(), SourceRegion=EXAMPLE_REGION
        )
        clock.advance(60)
        assert 50 == fsx.backups("us-west-2")[0]["ProgressPercent"]


async def test_runs_on_the_machines_clock() -> None:
    """Without a clock it runs in real time, from the date that it is."""
    fsx = LocalFsx()
    fsx.add_backup("us-west-2")
    created_at = fsx.backups("us-west-2")[0]["CreationTime"]
    assert abs(time.time() - created_at) < 60


def test_call(fsx) -> None:
    """A call needs no socket: it is carried out, counted and recorded, and gets no faults."""
    fsx.inject(Fault.throttling())
    source = fsx.add_example_backup()
    status, body = fsx.call("us-east-2", "CopyBackup", {"SourceBackupId": source})
    assert (200, source) == (status, json.loads(body)["Backup"]["SourceBackupId"])
    assert {"CopyBackup": 1} == fsx.calls
    assert ("us-east-2", DEFAULT_ACCOUNT) == (fsx.requests[0].region, fsx.requests[0].account)
    assert {"SourceBackupId": source} == fsx.requests[0].body


def test_call_that_is_refused(fsx) -> None:
    """The error of a call is its answer."""
    status, body = fsx.call("us-east-2", "DeleteBackup", {})
    assert (400, "BadRequest") == (status, json.loads(body)["__type"])
    with pytest.raises(KeyError):
        fsx.call("us-east-2", "CreateFileSystem", {})


async def test_accounts_are_kept_apart(fsx, connect, west) -> None:
    """Another access key has another account, and sees nothing of the first."""
    backup_id = fsx.add_backup("us-west-2")
    await west("describe_backups")
    other = await connect(fsx, key="AKIDOTHER")("describe_backups")
    assert [] == other["Backups"]
    assert [backup_id] == [backup["BackupId"] for backup in fsx.backups("us-west-2")]


def test_first_key_has_the_default_account() -> None:
    """The first key has the default account, others twelve digits of their own."""
    fsx = LocalFsx()
    accounts = [fsx.account_of(key) for key in ("one", "two", "one", "two")]
    assert DEFAULT_ACCOUNT == accounts[0]
    assert accounts[:2] == accounts[2:]
    assert re.fullmatch(r"\d{12}", accounts[1])
    assert accounts[0] != accounts[1]


async def test_one_account_for_all_keys(connect) -> None:
    """With *one_account* every key sees the same backups, but for those of another account."""
    async with LocalFsx(one_account=True) as fsx:
        backup_id = fsx.add_backup("us-west-2")
        fsx.add_access_key("AKIDOTHER", account="000000000001")
        keys = ["AKIDFIRST", secrets.token_hex(8), secrets.token_hex(8), "AKIDOTHER"]
        answers = [await connect(fsx, key=key)("describe_backups") for key in keys]
    seen = [[backup["BackupId"] for backup in answer["Backups"]] for answer in answers]
    assert [[backup_id], [backup_id], [backup_id], []] == seen


@pytest.mark.parametrize("region", ["us-west-9", "moon-base-alpha"])
async def test_any_region(connect, region) -> None:
    """With *allow_any_region* every name is that of a Region, as source and as destination."""
    async with LocalFsx(allow_any_region=True) as fsx:
        source = fsx.add_backup(region)
        request = {"SourceBackupId": source, "SourceRegion": region}
        copies = [
            await connect(fsx, destination)("copy_backup", **request)
            for destination in ("us-west-2", region)
        ]
    assert [region] * 2 == [copy["Backup"]["SourceBackupRegion"] for copy in copies]
    assert copies[1]["Backup"]["ResourceARN"].startswith(f"arn:aws:fsx:{region}:")


async def test_more_keys_for_an_account(fsx, connect) -> None:
    """An account can have several keys, which see the same backups."""
    fsx.add_backup("us-west-2")
    fsx.add_access_key("new")
    fsx.add_access_key("other", account="000000000001")
    assert 1 == len((await connect(fsx, key="new")("describe_backups"))["Backups"])
    assert "000000000001" == fsx.account_of("other")


async def test_an_added_key_is_not_the_first_that_calls(fsx, connect) -> None:
    """Keys that were added before any call leave the default account to the first caller."""
    fsx.add_access_key("other", account="000000000001")
    fsx.add_backup("us-west-2")
    assert 1 == len((await connect(fsx, key="first")("describe_backups"))["Backups"])
    assert [] == (await connect(fsx, key="other")("describe_backups"))["Backups"]


async def test_backup_of_another_account(fsx, connect, west) -> None:
    """A backup can be added to any account, which then owns it."""
    await west("describe_backups")
    account = fsx.account_of("AKIDOTHER")
    fsx.add_example_backup("us-west-2", account=account)
    answer = await connect(fsx, key="AKIDOTHER")("describe_backups")

    assert account == answer["Backups"][0]["OwnerId"]
    assert (
        answer["Backups"][0]["BackupId"]
        == fsx.backups("us-west-2", account=account)[0]["BackupId"]
    )
    assert 0 == fsx.copies_in_progress("us-west-2", account=account)
    assert 0 == fsx.max_copies_in_progress_seen("us-west-2", account=account)


@pytest.mark.parametrize("account", ["", "1", "12345678901x", 123456789012])
def test_bad_accounts(account) -> None:
    """A malformed account is refused by name."""
    fsx = LocalFsx()
    with pytest.raises(ValueError, match="account must be twelve digits"):
        fsx.add_access_key("key", account=account)
    with pytest.raises(ValueError, match="account must be twelve digits"):
        fsx.add_backup("us-west-2", account=account)


async def test_example(fsx, connect) -> None:
    """The example is the service's own, AVAILABLE in its source Region."""
    backup_id = fsx.add_example_backup()
    answer = await connect(fsx, "us-east-2")("describe_backups", BackupIds=[backup_id])
    backup = answer["Backups"][0]

    assert EXAMPLE_BACKUP["BackupId"] == backup_id
    assert "AVAILABLE" == backup["Lifecycle"]
    assert "PERSISTENT_1" == backup["FileSystem"]["LustreConfiguration"]["DeploymentType"]
    assert 2400 == backup["FileSystem"]["StorageCapacity"]
    assert [{"Key": "Name", "Value": "MyBackup"}] == backup["Tags"]


async def test_default_backup(fsx, west) -> None:
    """Without members it is an AVAILABLE backup of a Lustre file system."""
    fsx.add_backup("us-west-2")
    backup = (await west("describe_backups"))["Backups"][0]
    assert ("AVAILABLE", "USER_INITIATED") == (backup["Lifecycle"], backup["Type"])
    assert "LUSTRE" == backup["FileSystem"]["FileSystemType"]


def test_members_win(fsx) -> None:
    """Members win over the document, the document over the defaults."""
    document = {"BackupId": "backup-00000001", "Type": "AUTOMATIC", "SizeInBytes": 1}
    backup_id = fsx.add_backup("us-west-2", document, SizeInBytes=2, KmsKeyId=None)
    backup = fsx.backup("us-west-2", backup_id)
    assert "backup-00000001" == backup_id
    assert ("AUTOMATIC", 2) == (backup["Type"], backup["SizeInBytes"])
    assert "KmsKeyId" not in backup


def test_ids_and_lifecycles_are_always_there(fsx) -> None:
    """BackupId and Lifecycle cannot be left out."""
    backup_id = fsx.add_backup("us-west-2", BackupId=None, Lifecycle=None, Volume=None)
    backup = fsx.backup("us-west-2", backup_id)
    assert ("AVAILABLE", "FILE_SYSTEM") == (backup["Lifecycle"], backup["ResourceType"])


def test_strange_file_system(fsx) -> None:
    """A malformed FileSystem is added unchanged."""
    backup_id = fsx.add_backup("us-west-2", FileSystem="strange")
    assert "strange" == fsx.backup("us-west-2", backup_id)["FileSystem"]


def test_what_is_shown_is_a_copy(fsx) -> None:
    """Changing a returned document does not change the backup."""
    backup_id = fsx.add_example_backup()
    fsx.backup("us-east-2", backup_id)["FileSystem"]["StorageCapacity"] = 1
    fsx.backups("us-east-2")[0]["FileSystem"]["StorageCapacity"] = 1
    assert 2400 == fsx.backup("us-east-2", backup_id)["FileSystem"]["StorageCapacity"]


def test_document_is_copied(fsx) -> None:
    """Changing a document after it was added does not change the backup."""
    document = {"Tags": [{"Key": "a", "Value": "b"}]}
    backup_id = fsx.add_backup("us-west-2", document)
    document["Tags"].clear()
    assert 1 == len(fsx.backup("us-west-2", backup_id)["Tags"])


def test_taken_id(fsx) -> None:
    """An ID can be added once, in any Region."""
    fsx.add_example_backup()
    with pytest.raises(ValueError, match="is taken"):
        fsx.add_example_backup("us-west-2")


@pytest.mark.parametrize(
    "call",
    [
        lambda fsx: fsx.add_backup("nowhere"),
        lambda fsx: fsx.add_backup("us-west-9"),
        lambda fsx: fsx.add_file_system("nowhere"),
        lambda fsx: fsx.backups("nowhere"),
        lambda fsx: fsx.copies_in_progress("nowhere"),
        lambda fsx: fsx.max_copies_in_progress_seen("nowhere"),
        lambda fsx: fsx.forbid_multi_az("nowhere"),
        lambda fsx: fsx.call("nowhere", "DescribeBackups", {}),
    ],
)
def test_bad_region(fsx, call) -> None:
    """What is not a Region of AWS is refused by name."""
    with pytest.raises(ValueError, match="region must be a Region of AWS unless allow_any_region"):
        call(fsx)


@pytest.mark.parametrize("value", [object(), datetime(2026, 1, 1), [datetime(2026, 1, 1)]])  # noqa: DTZ001 - on purpose
def test_not_json(fsx, value) -> None:
    """A document that is not JSON cannot be added, and a time needs a zone."""
    with pytest.raises(TypeError):
        fsx.add_backup("us-west-2", Strange=value)


def test_times(fsx) -> None:
    """They are sent in epoch seconds, as by the service, also where a datetime was given."""
    moment = datetime(2026, 1, 1, 2, tzinfo=timezone(timedelta(hours=2)))
    file_system = {"FileSystemId": "fs-0123456789abcdef0", "CreationTime": moment}
    backup_id = fsx.add_backup("us-west-2", CreationTime=moment, FileSystem=file_system)
    backup = fsx.backup("us-west-2", backup_id)
    assert 1767225600.0 == backup["CreationTime"] == backup["FileSystem"]["CreationTime"]


def test_backup_elsewhere(fsx) -> None:
    """A backup is not found in another Region than its own."""
    backup_id = fsx.add_example_backup()
    with pytest.raises(KeyError):
        fsx.backup("us-west-2", backup_id)


@pytest.fixture(name="copy_id")
async def _copy_id(clock, west, source) -> str:
    """Begin a copy, and let a quarter of its time pass."""
    answer = await west("copy_backup", SourceBackupId=source, SourceRegion="us-east-2")
    clock.advance(25)
    return answer["Backup"]["BackupId"]


async def test_fail_copy(fsx, west, copy_id) -> None:
    """A copy can be made to fail now; its progress stays."""
    fsx.fail_copy(copy_id, "The disk is on fire.")
    backup = (await west("describe_backups", BackupIds=[copy_id]))["Backups"][0]
    assert ("FAILED", 25) == (backup["Lifecycle"], backup["ProgressPercent"])
    assert {"Message": "The disk is on fire."} == backup["FailureDetails"]
    assert 0 == fsx.copies_in_progress("us-west-2")


@pytest.mark.parametrize("message", ["", "x" * 257])
async def test_fail_copy_with_bad_text(fsx, copy_id, message) -> None:
    """A text that is empty or longer than the model allows is refused."""
    with pytest.raises(ValueError, match="message must have 1 to 256 characters"):
        fsx.fail_copy(copy_id, message)


async def test_set_lifecycle(clock, fsx, copy_id) -> None:
    """A backup can be set to any lifecycle, and to another one later."""
    fsx.set_lifecycle(copy_id, "NEW_IN_2031")
    clock.advance(1000)
    backup = fsx.backup("us-west-2", copy_id)
    in_progress = fsx.copies_in_progress("us-west-2")
    fsx.set_lifecycle(copy_id, "AVAILABLE")
    assert ("NEW_IN_2031", 25, 1) == (backup["Lifecycle"], backup["ProgressPercent"], in_progress)
    assert 0 == fsx.copies_in_progress("us-west-2")


def test_refuse_key_for_nothing(fsx) -> None:
    """A key must be refused as source, destination or both."""
    with pytest.raises(ValueError, match="as_source or as_destination must be true"):
        fsx.refuse_kms_key("alias/bad")


async def test_delete_backup(fsx, west, source) -> None:
    """A test can delete any backup, as another program would: a copy in progress too."""
    copy = await west("copy_backup", SourceBackupId=source, SourceRegion="us-east-2")
    fsx.delete_backup(copy["Backup"]["BackupId"])
    fsx.delete_backup(source)

    assert [] == fsx.backups("us-west-2") + fsx.backups("us-east-2")
    assert 0 == fsx.copies_in_progress("us-west-2")
    assert [] == (await west("describe_backups"))["Backups"]
    with pytest.raises(KeyError):
        fsx.delete_backup(source)


async def test_set_tags(fsx, west) -> None:
    """A test can replace the tags of a backup, with any keys and with null values."""
    backup_id = fsx.add_backup("us-west-2", Tags=[{"Key": "a", "Value": "b"}])
    fsx.set_tags(backup_id, {"Name": "new"})
    shown = (await west("describe_backups"))["Backups"][0]["Tags"]
    fsx.set_tags(backup_id, {"aws:backup": None})
    odd = fsx.backup("us-west-2", backup_id)["Tags"]
    fsx.set_tags(backup_id, {})

    assert [{"Key": "Name", "Value": "new"}] == shown
    assert [{"Key": "aws:backup", "Value": None}] == odd
    assert "Tags" not in fsx.backup("us-west-2", backup_id)
    with pytest.raises(KeyError):
        fsx.set_tags("backup-00000000", {})
