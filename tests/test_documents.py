"""What leaves the package as JSON: one style, and what can be read back."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import attrs
import pytest
from document_style import assert_style
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from pages_rig import generator
from replication_rig import DAY, EAST, FS, OTHER_FS, POLICY, VOLUME, WEST, backup, copy_of, planned
from strategies import MODERATE, json_values, junk

from fsxcopy_sdk import (
    AccessDenied,
    BackupCopyFailed,
    BackupFilter,
    FileSystem,
    FsxCopyClient,
    InvalidArguments,
    OntapFileSystemConfiguration,
    WaitTimeout,
    bulk,
    replication,
    to_dict,
)
from fsxcopy_sdk._validation import BACKUP_ID
from fsxcopy_sdk.bulk import (
    Copied,
    CopyDeferred,
    CopyFailed,
    CopyInProgress,
    CopyNotObserved,
    CopyRequest,
    CopySkipped,
    CopyStarted,
    CopyTimedOut,
)
from fsxcopy_sdk.replication import (
    CannotCopyReason,
    Keep,
    PlannedPrune,
    Pruned,
    PruneFailed,
    PruneSkipped,
    ReplicationPlan,
    ReplicationPolicy,
    apply_plan,
    plan_replication,
)
from fsxcopy_sdk.testing import LocalFsx

if TYPE_CHECKING:
    from conftest import Connect

Document = dict[str, Any]

REQUEST = CopyRequest(source_backup_id="backup-00000001", source_region=EAST, tags={"a": "b"})
COPY = attrs.evolve(copy_of(backup(1), 1001), progress_percent=40)
DENIED = AccessDenied("not you", "CopyBackup", WEST)


def _plan(policy: ReplicationPolicy = POLICY) -> ReplicationPlan:
    """Return a plan that has something of everything."""
    policy = attrs.evolve(policy, keep=Keep(last=1), newest=2)
    there, coming, gone = backup(1, days=1), backup(2, source=OTHER_FS), backup(9, days=9)
    backups = [there, coming, backup(3, source=VOLUME), backup(4, lifecycle="CREATING")]
    copies = [
        copy_of(there, 1001),
        attrs.evolve(copy_of(coming, 1002, lifecycle="COPYING"), progress_percent=40),
        copy_of(gone, 1003),
        copy_of(backup(8, days=8, source="fs-0123456789abcdef9"), 1004),
        copy_of(backup(7, days=9, source="fs-0123456789abcdef9"), 1005),
    ]
    return planned(policy, [*backups, backup(5, source=None)], copies)


PRUNE: PlannedPrune = _plan().to_prune[0]

_DOCUMENTS: dict[str, Any] = {
    "plan": _plan(),
    "report": _plan().report,
    "policy": POLICY,
    "request": REQUEST,
    "copied": Copied(request=REQUEST, backup=COPY),
    "failed": CopyFailed(
        request=REQUEST, error=BackupCopyFailed("no", COPY.backup_id, 1, 2.0, COPY), backup=COPY
    ),
    "started": CopyStarted(request=REQUEST, backup=COPY, client_request_token="token"),
    "deferred": CopyDeferred(request=REQUEST, reason="no capacity", error=DENIED),
    "skipped": CopySkipped(request=REQUEST, reason="the same as requests[0]"),
    "timed out": CopyTimedOut(
        request=REQUEST, error=WaitTimeout("late", COPY.backup_id, 1, 2.0, 2.0, COPY), backup=COPY
    ),
    "not observed": CopyNotObserved(request=REQUEST, client_request_token="token", error=DENIED),
    "in progress": CopyInProgress(
        request=REQUEST, client_request_token="token", started=4.5, backup=COPY
    ),
    "pruned": Pruned(prune=PRUNE),
    "prune failed": PruneFailed(prune=PRUNE, error=DENIED),
    "prune skipped": PruneSkipped(prune=PRUNE, reason="by now the policy keeps it"),
    "error": DENIED,
}


@pytest.mark.parametrize("document", _DOCUMENTS.values(), ids=_DOCUMENTS)
def test_style(document: Any) -> None:
    """Names, times and the version are the same everywhere, and JSON changes nothing."""
    assert_style(document.to_dict())


@pytest.mark.parametrize("document", _DOCUMENTS.values(), ids=_DOCUMENTS)
def test_schema(document: Any) -> None:
    """Each fits the JSON Schema that the site has of it."""
    schemas = generator("documents").schemas()
    of_error = schemas["CopyFailed"]["$defs"]["Error"]
    schema = schemas.get(type(document).__name__, of_error)
    Draft202012Validator(schema).validate(document.to_dict())


def test_every_class_of_outcomes_is_tested() -> None:
    """A class that is added to the outcomes is one of those above."""
    outcomes = (*bulk.CopyOutcome.__args__, *replication.PruneOutcome.__args__)
    assert set() == set(outcomes) - {type(one) for one in _DOCUMENTS.values()}


def test_an_outcome_names_itself() -> None:
    """The document of an outcome has its class, what was requested, and what was seen."""
    copied = {
        "Version": 1,
        "Outcome": "Copied",
        "Request": {
            "SourceBackupId": "backup-00000001",
            "SourceRegion": "us-east-2",
            "CopyTags": False,
            "Tags": [{"Key": "a", "Value": "b"}],
        },
        "Backup": to_dict(COPY),
        "Existing": True,
    }
    assert copied == Copied(request=REQUEST, backup=COPY, existing=True).to_dict()
    assert {
        "Version": 1,
        "Outcome": "CopyNotObserved",
        "Request": copied["Request"],
        "ClientRequestToken": "token",
        "Error": {
            "Type": "AccessDenied",
            "Message": "not you",
            "IsTransient": False,
            "Operation": "CopyBackup",
            "Region": "us-west-2",
            "Attempts": 1,
            "Code": "AccessDenied",
            "HttpStatus": 400,
        },
    } == _DOCUMENTS["not observed"].to_dict()
    assert {"Version", "Request", "ClientRequestToken", "Backup"} == set(
        _DOCUMENTS["in progress"].to_dict()
    )


def test_a_policy_as_written_by_hand() -> None:
    """Every member of a policy has its place; what is left out has its default."""
    document: Document = {
        "Name": "nightly",
        "FileSystemIds": [FS],
        "VolumeIds": [VOLUME],
        "Filters": [{"Name": "backup-type", "Values": ["AUTOMATIC", "USER_INITIATED"]}],
        "Newest": None,
        "NewerThan": 7 * DAY,
        "CopyTags": False,
        "Tags": [{"Key": "team", "Value": "storage"}],
        "KmsKeyIds": {WEST: "alias/dr"},
        "Keep": {
            "Last": 7,
            "Hourly": 24,
            "Daily": 7,
            "Weekly": 4,
            "Monthly": 12,
            "Yearly": 9,
            "Within": 30 * DAY,
            "TimeZone": "UTC",
        },
        "KeepTag": "keep",
        "MaxAge": 90000,
    }
    policy = ReplicationPolicy(
        name="nightly",
        file_system_ids=[FS],
        volume_ids=[VOLUME],
        filters=[BackupFilter("backup-type", ["AUTOMATIC", "USER_INITIATED"])],
        newest=None,
        newer_than=timedelta(days=7),
        copy_tags=False,
        tags={"team": "storage"},
        kms_key_ids={WEST: "alias/dr"},
        keep=Keep(
            last=7, hourly=24, daily=7, weekly=4, monthly=12, yearly=9, within=timedelta(days=30)
        ),
        keep_tag="keep",
        max_age=timedelta(hours=25),
    )
    assert policy == ReplicationPolicy.from_dict(document)
    assert {"Version": 1, **document} == policy.to_dict()
    assert ReplicationPolicy(name="dr") == ReplicationPolicy.from_dict({"Name": "dr"})
    assert {
        "Version": 1,
        "Name": "dr",
        "Newest": 1,
        "CopyTags": True,
        "KeepTag": "fsxcopy:protected",
        "MaxAge": DAY,
    } == ReplicationPolicy(name="dr").to_dict()


_TAG_TEXTS = st.text(st.sampled_from("aZ9 ä_.:/=+-@"), min_size=1, max_size=9)
_IDS = st.integers(0, 2**32 - 1).map(lambda number: f"backup-{number:08x}")
_SECONDS = st.floats(0, 1e9) | st.integers(0, 10**9) | st.timedeltas(timedelta(0))
_TAGS = st.dictionaries(_TAG_TEXTS.map(lambda text: f"x{text}"), _TAG_TEXTS, max_size=3)


def _keeps() -> st.SearchStrategy[Keep]:
    counts = st.none() | st.integers(1, 99)
    return st.builds(
        Keep,
        last=st.integers(1, 99),
        hourly=counts,
        daily=counts,
        weekly=counts,
        monthly=counts,
        yearly=counts,
        within=st.none() | _SECONDS.filter(bool),
        time_zone=st.sampled_from(["UTC", "Europe/Berlin", "Asia/Kolkata"]),
    )


def _policies() -> st.SearchStrategy[ReplicationPolicy]:
    return st.builds(
        ReplicationPolicy,
        name=_TAG_TEXTS,
        file_system_ids=st.lists(st.sampled_from([FS, OTHER_FS]), unique=True),
        volume_ids=st.sampled_from([(), (VOLUME,)]),
        filters=st.lists(
            st.builds(
                BackupFilter,
                st.sampled_from(["backup-type", "file-system-type", "future"]),
                st.lists(st.sampled_from(["A", "B"]), min_size=1),
            ),
            max_size=2,
        ),
        newest=st.none() | st.integers(1, 9),
        newer_than=st.none() | _SECONDS,
        copy_tags=st.booleans(),
        tags=_TAGS,
        kms_key_ids=st.dictionaries(st.sampled_from([EAST, WEST]), _TAG_TEXTS),
        keep=st.none() | _keeps(),
        keep_tag=_TAG_TEXTS,
        max_age=_SECONDS,
    )


def _requests() -> st.SearchStrategy[CopyRequest]:
    return st.builds(
        CopyRequest,
        source_backup_id=_IDS,
        source_region=st.none() | st.sampled_from([EAST, WEST]),
        kms_key_id=st.none() | _TAG_TEXTS,
        copy_tags=st.booleans(),
        tags=_TAGS,
        volume_id=st.none() | st.just(VOLUME),
        idempotency_salt=st.just("") | _TAG_TEXTS,
        client_request_token=st.none() | st.just("token"),
    )


@st.composite
def _plans(draw: st.DrawFn) -> ReplicationPlan:
    moments = st.floats(0, 20)
    originals = [
        backup(
            number,
            days=draw(moments),
            source=draw(st.sampled_from([FS, OTHER_FS, VOLUME, None])),
            lifecycle=draw(st.sampled_from(["AVAILABLE", "CREATING", "FAILED", "FUTURE"])),
        )
        for number in range(1, draw(st.integers(1, 8)))
    ]
    copies = [
        attrs.evolve(
            copy_of(one, 1000 + number, lifecycle=draw(st.sampled_from(["AVAILABLE", "COPYING"]))),
            progress_percent=draw(st.none() | st.integers(0, 100)),
            size_in_bytes=draw(st.none() | st.integers(0, 2**62)),
        )
        for number, one in enumerate(originals)
        if draw(st.booleans())
    ]
    gone = draw(st.booleans())
    return planned(draw(_policies()), originals[gone:], copies)


@MODERATE
@given(value=_policies() | _requests() | _plans())
def test_documents_read_back(value: ReplicationPolicy | CopyRequest | ReplicationPlan) -> None:
    """What was written is read as the same value, also after JSON, and has the style."""
    document = value.to_dict()
    assert_style(document)
    read = type(value).from_dict
    assert value == read(document) == read(json.loads(json.dumps(document)))
    assert document == read(document).to_dict()


async def test_a_plan_is_applied_by_another_process(
    fsx: LocalFsx, connect: Connect, client: FsxCopyClient
) -> None:
    """A plan that has been JSON does what the plan does, and so do its requests."""
    async with connect(fsx, region=EAST) as east:
        plan = await plan_replication(east, client, POLICY)
    text = json.dumps(plan.to_dict())
    async with apply_plan(ReplicationPlan.from_dict(json.loads(text)), client) as applied:
        [copied] = [outcome async for outcome in applied]
    assert isinstance(copied, Copied)
    assert plan.to_copy[0].request == CopyRequest.from_dict(copied.to_dict()["Request"])
    assert "fsxcopy:policy" in {tag.key for tag in copied.backup.tags}


def _errors(read: Callable[[Any], object], document: object) -> tuple[str, ...]:
    with pytest.raises(InvalidArguments) as caught:
        read(document)
    assert "; ".join(caught.value.errors) == str(caught.value)
    return caught.value.errors


def test_all_errors_of_a_plan_at_once() -> None:
    """Each error has its path, those of rules and those of unknown members included."""
    document: Document = json.loads(json.dumps(_plan().to_dict()))
    document["Policy"] |= {"Keep": {"Last": 0}, "Name": 5, "KepWithin": 3, "NewerThan": "soon"}
    document["Policy"] |= {"Tags": [{"Value": "x"}, []], "KmsKeyIds": {"us west": 5}}
    document["MadeAt"] = "yesterday"
    document["ToCopy"][0]["Request"]["SourceBackupId"] = "snap-1"
    document["UpToDate"][0]["Copy"]["Lifecycle"] = None
    document["CannotCopy"][0]["Reason"] = "whim"
    document["HeldBack"] = {}
    document["SourceBackups"] = True
    document["Report"]["Sources"][0] |= {"Age": "old", "IsLate": 1}
    document["Report"]["MaxAge"] = 10**400
    del document["DestinationRegion"]
    reasons = [reason.name for reason in CannotCopyReason]

    assert {
        "$.Policy.KepWithin: must not be there: no such member is known",
        "$.Policy.Tags[0].Key: required, but missing",
        "$.Policy.Tags[1]: must be an object, not a list",
        "$.Policy.Name: must be 1 to 128 letters, digits, spaces and `_.:/=+-@`, not 5",
        "$.Policy.Keep.Last: must be an integer of 1 or more, or None, not 0",
        "$.Policy.NewerThan: must be seconds or a timedelta, finite and not negative, not 'soon'",
        "$.Policy.KmsKeyIds: Region: must be 1 to 20 of a-z, 0-9 and `-`, not 'us west'",
        "$.Policy.KmsKeyIds: key of 'us west': must be 1 to 2048 characters on one line, not 5",
        "$.DestinationRegion: required, but missing",
        "$.MadeAt: must be a time, not 'yesterday'",
        f"$.ToCopy[0].Request.SourceBackupId: must be {BACKUP_ID.words}, not 'snap-1'",
        "$.UpToDate[0].Copy.Lifecycle: required, but missing",
        "$.HeldBack: must be a list, not an object",
        f"$.CannotCopy[0].Reason: must be one of {', '.join(reasons)}, not 'whim'",
        "$.SourceBackups: must be an integer, not a boolean",
        f"$.Report.MaxAge: must be a finite number, not 1{'0' * 79}",
        "$.Report.Sources[0].Age: must be a number, not a string",
        "$.Report.Sources[0].IsLate: must be a boolean, not an integer",
    } == set(_errors(ReplicationPlan.from_dict, document))


@pytest.mark.parametrize("member", ["ToCopy", "UpToDate"])
def test_a_request_is_for_the_backup_beside_it(member: str) -> None:
    """By its request an outcome is counted for a backup, so that a plan cannot have another."""
    document: Document = json.loads(json.dumps(_plan().to_dict()))
    planned = document[member][0]
    backup = planned["Backup"]["BackupId"]
    planned["Request"]["SourceBackupId"] = "backup-ffffffff"
    assert (
        f"$.{member}[0].Request: must be for the copy of '{backup}', not of 'backup-ffffffff'",
    ) == _errors(ReplicationPlan.from_dict, document)


def test_errors_of_a_request() -> None:
    """A missing member is named once, beside the rules that others break."""
    assert (
        "$.SourceBackupId: required, but missing",
        "$.Tags: key 'aws:x': must be without AWS's own prefix, not one with `aws:`",
    ) == _errors(CopyRequest.from_dict, {"Tags": [{"Key": "aws:x", "Value": ""}]})
    assert ("$: must be an object, not a list",) == _errors(CopyRequest.from_dict, [])
    assert ("$.KmsKeyIds: must be an object, not a list",) == _errors(
        ReplicationPolicy.from_dict, {"Name": "dr", "KmsKeyIds": [["us-west-2", "key"]]}
    )


def test_only_twenty_errors_are_named() -> None:
    """A document that is wrong everywhere gives a text that can still be read."""
    errors = _errors(CopyRequest.from_dict, {f"No{number}": 0 for number in range(50)})
    assert (21, "and more") == (len(errors), errors[-1])


@MODERATE
@given(document=junk())
@pytest.mark.parametrize("read", [ReplicationPlan.from_dict, ReplicationPolicy.from_dict])
def test_anything_else_is_refused(read: Callable[[Any], object], document: object) -> None:
    """What is no document at all is an error of this package, whatever it is."""
    _errors(read, document)


@pytest.mark.parametrize("version", [0, 2, "1", True, None, 1.0])
def test_another_version_is_refused(version: object) -> None:
    """A document of another version is not read, and nothing else is said of it."""
    document = {"Version": version, "Unknown": 1}
    rule = "$.Version: must be 1, the only version that this release reads, not "
    assert (f"{rule}{version!r}",) == _errors(ReplicationPolicy.from_dict, document)


def test_nulls() -> None:
    """A null is None where a member may be None, and otherwise the same as absence."""
    document: Document = {"Name": "dr", "Newest": None, "KeepTag": None, "Tags": None}
    assert ReplicationPolicy(name="dr", newest=None) == ReplicationPolicy.from_dict(document)


def _places(part: Any) -> Iterator[tuple[Any, Any]]:
    for key, value in part.items() if isinstance(part, dict) else enumerate(part):
        yield part, key
        if isinstance(value, dict | list):
            yield from _places(value)


@MODERATE
@given(data=st.data())
def test_wrong_documents_are_refused_or_read(data: st.DataObject) -> None:
    """Whatever a plan's document is made of, it is read or refused, with a path for each error."""
    document: Document = json.loads(json.dumps(_plan().to_dict()))
    for _ in range(data.draw(st.integers(1, 3))):
        holder, key = data.draw(st.sampled_from(list(_places(document))))
        holder[key] = data.draw(json_values() | st.floats())
    errors: tuple[str, ...] = ()
    try:
        read = ReplicationPlan.from_dict(document)
    except InvalidArguments as error:
        errors = error.errors
    else:
        assert read == ReplicationPlan.from_dict(read.to_dict())
    assert all(text.startswith("$.") for text in errors)


def test_times_of_both_kinds_are_read() -> None:
    """A time may be ISO 8601 with any offset, or epoch seconds."""
    plan = _plan()
    texts = (plan.made_at.timestamp(), plan.made_at.isoformat().replace("+00:00", "Z"))
    for written in texts:
        assert plan == ReplicationPlan.from_dict(plan.to_dict() | {"MadeAt": written})


def test_secrets_are_masked() -> None:
    """A password that the service sent is in no document, but kept by `fsxcopy_sdk.to_dict`."""
    ontap = OntapFileSystemConfiguration(fsx_admin_password="correct-horse")
    secret = attrs.evolve(COPY, file_system=FileSystem(ontap_configuration=ontap))
    failed = BackupCopyFailed("no", COPY.backup_id, 1, 2.0, secret)
    for outcome in (
        Copied(request=REQUEST, backup=secret),
        CopyFailed(request=REQUEST, error=failed, backup=secret),
    ):
        text = json.dumps(outcome.to_dict())
        assert "correct-horse" not in text
        assert 1 == text.count('"FsxAdminPassword": "(not shown)"')
    assert "correct-horse" in json.dumps(to_dict(secret))
    assert "correct-horse" not in json.dumps(failed.to_dict())
