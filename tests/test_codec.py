"""Test the codec with documents built from botocore's service model."""

from __future__ import annotations

import copy
import json
import pickle
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from traceback import format_exception
from types import MappingProxyType
from typing import Any

import attrs
import cattrs
import pytest
import service_model
from botocore.model import StructureShape  # type: ignore[import-untyped]  # botocore has no types
from botocore.parsers import create_parser  # type: ignore[import-untyped]  # as above
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import (
    MODERATE,
    Document,
    as_known,
    as_sent,
    as_written,
    documents,
    json_values,
    values,
)

from fsxcopy_sdk import enums, models
from fsxcopy_sdk._codec import (
    InvalidValue,
    RawResponse,
    configure,
    from_dict,
    parse_response,
    to_dict,
    wire_name,
)
from fsxcopy_sdk.enums import BackupLifecycle, BackupType
from fsxcopy_sdk.errors import BackupNotFound, InvalidArguments, ResponseDecodingError
from fsxcopy_sdk.models import Backup, CopyBackupResponse, FileSystem, Tag

_SAMPLES = Path(__file__).parent / "samples"

_METADATA = models.ResponseMetadata(request_id="request-1", http_status=200, attempts=3)

_EXAMPLE_TIME = datetime(2021, 4, 9, 7, 53, 28, 68000, UTC)
"""When the backup in the service's own example was created."""

_ZONES = st.builds(timezone, st.timedeltas(timedelta(hours=-23), timedelta(hours=23)))

_STRUCTURES: dict[str, StructureShape] = {
    shape.name: shape for shape in service_model.answered() if isinstance(shape, StructureShape)
}


def _class_of(structure: str) -> type[attrs.AttrsInstance]:
    cls: type[attrs.AttrsInstance] = getattr(models, structure)
    return cls


def _response(operation: str, payload: bytes | Document) -> RawResponse:
    return RawResponse(operation=operation, payload=payload, metadata=_METADATA)


def _read(operation: str, payload: bytes | Document) -> Any:
    """Return the response of an operation, read from what was received."""
    cls: Any = _class_of(f"{operation}Response")
    return parse_response(cls, _response(operation, payload))


def _error_of(read: Callable[..., object], *arguments: object) -> ResponseDecodingError:
    with pytest.raises(ResponseDecodingError) as caught:
        read(*arguments)
    return caught.value


def _exchange_of(error: ResponseDecodingError) -> tuple[object, ...]:
    return error.operation, error.request_id, error.http_status, error.attempts


def _error_paths(cls: type[attrs.AttrsInstance], document: object) -> tuple[str, ...]:
    return _error_of(from_dict, cls, document).error_paths


def _sent(document: Document) -> Document:
    sent = as_sent(document)
    assert isinstance(sent, dict)
    return sent


def _json(document: Mapping[str, object]) -> bytes:
    return json.dumps(document, default=lambda moment: moment.isoformat()).encode()


def _backup(**others: object) -> Document:
    """Return a minimal backup with some more members."""
    return {
        "BackupId": "backup-0123456789abcdef0",
        "Lifecycle": "AVAILABLE",
        "Type": "AUTOMATIC",
        "CreationTime": 1617954808,
        **others,
    }


def _exactly(model: attrs.AttrsInstance) -> tuple[attrs.AttrsInstance, str]:
    """Return a value that also differs where an enum and its text are equal."""
    return model, repr(model)


def _any_document() -> st.SearchStrategy[tuple[str, Document]]:
    names = st.sampled_from(sorted(_STRUCTURES))
    return names.flatmap(lambda name: st.tuples(st.just(name), documents(_STRUCTURES[name])))


@MODERATE
@given(drawn=_any_document())
def test_known_data_survives(drawn: tuple[str, Document]) -> None:
    """`to_dict` returns every known member, times in ISO 8601; the input is not changed."""
    name, document = drawn
    sent = _sent(document)
    assert as_known(_STRUCTURES[name], document) == to_dict(from_dict(_class_of(name), sent))
    assert _sent(document) == sent


@MODERATE
@given(drawn=_any_document())
def test_model_survives_json(drawn: tuple[str, Document]) -> None:
    """The data of a model is unchanged by JSON, and makes an equal model of equal hash."""
    name, document = drawn
    model = from_dict(_class_of(name), _sent(document))
    data = to_dict(model)
    after_json = json.loads(json.dumps(data))
    restored = from_dict(_class_of(name), after_json)

    assert data == after_json
    assert (model, hash(model)) == (restored, hash(restored))


def _converter(*, detailed_validation: bool) -> cattrs.Converter:
    converter = cattrs.Converter(detailed_validation=detailed_validation)
    configure(converter)
    return converter


_PASSES = (_converter(detailed_validation=False), _converter(detailed_validation=True))
"""A fast one, and a detailed one that finds all errors with their paths."""


@pytest.mark.parametrize("operation", service_model.OPERATIONS)
@settings(MODERATE, max_examples=50)
@given(data=st.data())
def test_body_and_parsed_dict_become_equal_models(operation: str, data: st.DataObject) -> None:
    """A body and the dict that botocore parses become equal models; the dict is not changed."""
    shape = service_model.operation(operation).output_shape
    body = _json(_sent(data.draw(documents(shape))))
    parsed = create_parser("json").parse({"status_code": 200, "headers": {}, "body": body}, shape)
    before = copy.deepcopy(parsed)

    assert _exactly(_read(operation, body)) == _exactly(_read(operation, parsed))
    for document in (json.loads(body), parsed):
        fast, detailed = (one.structure(document, _class_of(shape.name)) for one in _PASSES)
        assert _exactly(detailed) == _exactly(fast)
    assert before == parsed


@pytest.mark.parametrize("name", sorted(_STRUCTURES))
@settings(MODERATE, max_examples=5)
@given(data=st.data())
def test_every_member_survives(name: str, data: st.DataObject) -> None:
    """Both passes keep every member of a structure in which no known one is absent."""
    shape = _STRUCTURES[name]
    document = {
        member: data.draw(values(part, 2).filter(lambda drawn: drawn != []))
        for member, part in shape.members.items()
    }
    fast, detailed = (one.structure(_sent(document), _class_of(name)) for one in _PASSES)

    assert as_known(shape, document) == to_dict(fast)
    assert _exactly(detailed) == _exactly(fast)


def _places(part: Any) -> Iterator[tuple[Any, Any]]:
    """Yield the container and the key or index of every value in a document."""
    for key, value in part.items() if isinstance(part, dict) else enumerate(part):
        yield part, key
        if isinstance(value, dict | list):
            yield from _places(value)


@st.composite
def _perhaps_invalid(draw: st.DrawFn) -> tuple[type[attrs.AttrsInstance], Document]:
    """Make JSON documents in which some values may be invalid."""
    name, document = draw(_any_document())
    sent: Document = json.loads(_json(_sent(document)))
    for _ in range(draw(st.integers(0, 2))):
        places = list(_places(sent))
        if places:
            holder, key = draw(st.sampled_from(places))
            holder[key] = draw(json_values() | st.floats())
    return _class_of(name), sent


@settings(MODERATE, max_examples=300)
@given(drawn=_perhaps_invalid())
def test_both_passes_agree(drawn: tuple[type[attrs.AttrsInstance], Document]) -> None:
    """Both passes accept the same documents, and return equal models."""
    cls, document = drawn
    read: list[object] = []
    for converter in _PASSES:
        try:
            read.append(_exactly(converter.structure(document, cls)))
        except (cattrs.BaseValidationError, InvalidValue):
            read.append(None)

    assert read[0] == read[1]


def test_error_deep_in_a_long_page() -> None:
    """A single error in many backups has its path."""

    def backup(name: object) -> Document:
        target = {"TargetVolumeValues": {"Name": name}}
        return _backup(FileSystem={"AdministrativeActions": [{}, target]})

    page = {"Backups": [backup(5 if number == 48 else "vol") for number in range(50)]}
    path = "$.Backups[48].FileSystem.AdministrativeActions[1].TargetVolumeValues.Name"
    error = _error_of(_read, "DescribeBackups", _json(page))

    assert (f"{path}: must be a string, not an integer",) == error.error_paths
    assert "<fsxcopy_sdk structure" not in "".join(format_exception(error))


@pytest.mark.parametrize("operation", service_model.OPERATIONS)
@pytest.mark.parametrize("name", ["Backup", "BackupId", "Backups", "Lifecycle", "NextToken"])
def test_unexpected_lists_are_the_same_error(operation: str, name: str) -> None:
    """An error has the same path and text in a body and in a parsed dict."""
    document = {"BackupId": "backup-0123456789abcdef0", "Lifecycle": "DELETED", name: [1]}
    found = []
    for payload in (_json(document), document):
        try:
            found.append(_exactly(_read(operation, payload)))
        except ResponseDecodingError as error:
            found.append(error.error_paths)

    assert found[0] == found[1]


def test_hooks_are_generated_on_first_use() -> None:
    """A valid document generates the fast hooks of the classes in it, and no others."""
    program = """
import sys
def report(event, args):
    if event == "compile" and isinstance(args[1], str) and " structure " in args[1]:
        print(args[1])
sys.addaudithook(report)
from fsxcopy_sdk import from_dict, models
print("imported")
from_dict(models.FileSystem, {"LustreConfiguration": {}, "StorageType": "SSD"})
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )

    assert [
        "imported",
        "<fsxcopy_sdk structure FileSystem>",
        "<fsxcopy_sdk structure LustreFileSystemConfiguration>",
    ] == done.stdout.splitlines()


def test_example() -> None:
    """The service's own example has known enums and a time in UTC, and comes back unchanged."""
    body = (_SAMPLES / "copy_backup.json").read_bytes()
    response = _read("CopyBackup", body)

    assert as_written(json.loads(body)) == to_dict(response)
    backup = response.backup
    assert "backup-0a3364eded1014b28" == backup.backup_id
    assert BackupLifecycle.COPYING is backup.lifecycle
    assert _EXAMPLE_TIME == backup.creation_time
    assert UTC is backup.creation_time.tzinfo
    assert (Tag(key="Name", value="MyBackup"),) == backup.tags
    assert enums.FileSystemType.LUSTRE is backup.file_system.file_system_type
    assert enums.StorageType.SSD is backup.file_system.storage_type
    assert 2400 == backup.file_system.storage_capacity
    lustre = backup.file_system.lustre_configuration
    assert enums.LustreDeploymentType.PERSISTENT_1 is lustre.deployment_type


def test_unknown_lifecycle_unknown_member_and_no_file_system() -> None:
    """A lifecycle or a member that the service adds later, and no FileSystem, are no errors."""
    backup = from_dict(Backup, _backup(Lifecycle="THAWING", Temperature={"Celsius": -4}))
    assert "THAWING" == backup.lifecycle
    assert backup.lifecycle.is_unknown
    assert backup.file_system is None


def test_unknown_value_seen_in_recorded_answers() -> None:
    """The volume lifecycle ACTIVE, which is sent but not documented, keeps its text."""
    volume = from_dict(models.Volume, {"Lifecycle": "ACTIVE"})
    assert enums.VolumeLifecycle("ACTIVE") == volume.lifecycle
    assert {"Lifecycle": "ACTIVE"} == to_dict(volume)


def test_nulls_are_absent() -> None:
    """A null is the same as a missing member."""
    nulls = dict.fromkeys(("Tags", "FileSystem", "ProgressPercent", "KmsKeyId"))
    assert from_dict(Backup, _backup()) == from_dict(Backup, _backup(**nulls))


def test_any_mapping_is_read() -> None:
    """Mappings that are not dicts are accepted."""
    document = _backup(FileSystem=MappingProxyType({"OwnerId": "123456789012"}))
    assert from_dict(Backup, document) == from_dict(Backup, MappingProxyType(document))


def test_required_empty_lists_are_kept() -> None:
    """`to_dict` keeps an empty list that is required, and leaves out the others."""
    page = models.DescribeBackupsResponse(backups=())
    assert {"Backups": []} == to_dict(page)


def test_recursion_of_the_model() -> None:
    """File systems within administrative actions of file systems are read at any depth."""
    inner = {"AdministrativeActions": [{"TargetFileSystemValues": {"OwnerId": "1"}}]}
    document = {"AdministrativeActions": [{"TargetFileSystemValues": inner}]}
    outer = from_dict(FileSystem, document)
    middle = outer.administrative_actions[0].target_file_system_values

    assert middle is not None
    innermost = middle.administrative_actions[0].target_file_system_values
    assert FileSystem(owner_id="1") == innermost


@pytest.fixture(name="_in_new_york")
def _machine_in_new_york(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Set the machine's time zone to another one than UTC."""
    with monkeypatch.context() as machine:
        machine.setenv("TZ", "EST5EDT,M3.2.0,M11.1.0")
        time.tzset()
        yield
    time.tzset()


@pytest.mark.usefixtures("_in_new_york")
@pytest.mark.parametrize(
    "sent",
    [
        pytest.param(1617954808.068, id="number"),
        pytest.param("1617954808.068", id="numeric-text"),
        pytest.param("1.617954808068E9", id="numeric-text-exponent"),
        pytest.param("2021-04-09T07:53:28.068Z", id="iso-z"),
        pytest.param("2021-04-09T09:53:28.068+02:00", id="iso-offset"),
        pytest.param("2021-04-09T09:53:28.068000000+0200", id="iso-nanoseconds"),
        pytest.param("2021-04-09T07:53:28.068", id="iso-naive"),
        pytest.param(_EXAMPLE_TIME, id="datetime"),
        pytest.param(
            _EXAMPLE_TIME.astimezone(timezone(timedelta(hours=-7))), id="datetime-offset"
        ),
        pytest.param(_EXAMPLE_TIME.replace(tzinfo=None), id="datetime-naive"),
    ],
)
def test_forms_of_a_time(sent: object) -> None:
    """Every form of a time is read in UTC, and without an offset is UTC, in any time zone."""
    backup = from_dict(Backup, _backup(CreationTime=sent))
    assert (_EXAMPLE_TIME, UTC) == (backup.creation_time, backup.creation_time.tzinfo)


_NO_TIMES: dict[str, tuple[object, ...]] = {
    "not finite": (float("nan"), float("inf"), "nan", "-inf"),
    "number beyond the years 1 to 9999": (1e18, -1e18, 10**400),
    "text beyond the years 2000 to 9999": ("946684799.9", "253402300800", "1e99", "-1617954808"),
    "no text of a time": ("", "yesterday", "3"),
    "no such day or offset": ("2021-02-30T00:00:00Z", "2026-01-01T12:00:00+24:00"),
    "other form of ISO 8601": ("20260101", "20260101120000", "2026-01-01", "2026-W01-1"),
    "no minutes": ("2026-01-01T12",),
    "strays in ISO 8601": ("2026-01-01T12:00:00Z\n",),
    "strays in a number": ("+1617954808", "1_617_954_808", " 1617954808 ", "1617954808\n"),
    "leading zero": ("01617954808",),
    "other digits": (
        "\u0661\u0666\u0661\u0667\u0669\u0665\u0664\u0668\u0660\u0668",
        "\uff12021-04-09T07:53:28Z",
        "\u0663",
    ),
    "beyond the years 1 to 9999 in UTC": (
        "0001-01-01T00:00:00+14:00",
        datetime.max.replace(tzinfo=timezone(timedelta(hours=-1))),
    ),
}


@pytest.mark.parametrize(
    "sent",
    [
        pytest.param(sent, id=f"{reason} {number}")
        for reason, values_sent in _NO_TIMES.items()
        for number, sent in enumerate(values_sent, 1)
    ],
)
def test_no_time(sent: object) -> None:
    """A value of the right type that is no time is an error that shows the value's beginning."""
    expected = (f"$.CreationTime: must be a time, not {sent!r:.80}",)
    assert expected == _error_paths(Backup, _backup(CreationTime=sent))


def test_all_errors_at_once() -> None:
    """One exception has the path of every error in a document."""
    target = "$.FileSystem.AdministrativeActions[1].TargetVolumeValues"
    document = {
        "BackupId": 5,
        "Lifecycle": None,
        "Type": "AUTOMATIC",
        "CreationTime": "yesterday",
        "ProgressPercent": "7",
        "Tags": [{"Value": "Name"}, "Name", {"Key": "Name", "Value": 1}],
        "FileSystem": {
            "SubnetIds": "subnet-1",
            "DNSName": 1,
            "AdministrativeActions": [{}, {"TargetVolumeValues": {"CreationTime": True}}],
        },
    }
    expected = {
        "$.BackupId: must be a string, not an integer",
        "$.Lifecycle: required, but missing",
        "$.CreationTime: must be a time, not 'yesterday'",
        "$.ProgressPercent: must be an integer, not a string",
        "$.Tags[0].Key: required, but missing",
        "$.Tags[1]: must be an object, not a string",
        "$.Tags[2].Value: must be a string, not an integer",
        "$.FileSystem.SubnetIds: must be a list, not a string",
        "$.FileSystem.DNSName: must be a string, not an integer",
        f"{target}.CreationTime: must be a time, not a boolean",
    }

    assert sorted(expected) == sorted(_error_paths(Backup, document))


_NAMES_IN_JSON = {
    "a boolean": True,
    "a list": [],
    "a number with a fraction": 5.0,
    "a string": "5",
    "an integer": 5,
    "an object": {},
}

_RIGHT = {
    "a boolean": (models.LustreFileSystemConfiguration, "EfaEnabled", ["a boolean"]),
    "a list": (FileSystem, "Tags", ["a list"]),
    "a string": (FileSystem, "DNSName", ["a string"]),
    "a string (enum)": (FileSystem, "StorageType", ["a string"]),
    "a time": (FileSystem, "CreationTime", ["a string", "an integer", "a number with a fraction"]),
    "an integer": (FileSystem, "StorageCapacity", ["an integer"]),
    "an object": (FileSystem, "OpenZFSConfiguration", ["an object"]),
}
"""For each kind of value: a member of that kind, and what JSON may have there."""


@pytest.mark.parametrize(
    ("kind", "found"),
    [
        pytest.param(kind, found, id=f"{kind}-{found}".replace(" ", "_"))
        for kind, (_, _, allowed) in _RIGHT.items()
        for found in _NAMES_IN_JSON
        if found not in allowed
    ],
)
def test_wrong_types(kind: str, found: str) -> None:
    """A value of another type than the model's is an error, never coerced."""
    cls, member, _ = _RIGHT[kind]
    words = kind.removesuffix(" (enum)")
    assert (f"$.{member}: must be {words}, not {found}",) == _error_paths(
        cls, {member: _NAMES_IN_JSON[found]}
    )


@pytest.mark.parametrize(
    ("member", "items", "text"),
    [
        ("SubnetIds", [None], "a string, not null"),
        ("SubnetIds", ["subnet-1", 5], "a string, not an integer"),
        ("Tags", [None], "an object, not null"),
        ("Tags", [[]], "an object, not a list"),
        ("MaintenanceOperationsInProgress", ["PATCHING", 1], "a string, not an integer"),
    ],
)
def test_wrong_items(member: str, items: list[object], text: str) -> None:
    """The path of a wrong item, here the last, has its index; null is no item of a list."""
    is_enum = member == "MaintenanceOperationsInProgress"
    cls = models.WindowsFileSystemConfiguration if is_enum else FileSystem
    path = f"$.{member}[{len(items) - 1}]"
    assert (f"{path}: must be {text}",) == _error_paths(cls, {member: items})


def test_enum_items() -> None:
    """A list of enums may contain known and unknown values."""
    document = {"MaintenanceOperationsInProgress": ["PATCHING", "KNITTING"]}
    windows = from_dict(models.WindowsFileSystemConfiguration, document)
    items = windows.maintenance_operations_in_progress
    assert enums.FileSystemMaintenanceOperation.PATCHING is items[0]
    assert enums.FileSystemMaintenanceOperation is type(items[1])


def test_members_of_enums_are_accepted() -> None:
    """A document of the user may have members of the enums instead of their texts."""
    document = _backup(Lifecycle=BackupLifecycle.COPYING, Type=BackupType("FUTURE"))
    assert BackupLifecycle.COPYING is from_dict(Backup, document).lifecycle
    assert BackupType("FUTURE") == from_dict(Backup, document).type


def test_foreign_types_are_named() -> None:
    """The error about a type that JSON does not have shows the class."""
    (text,) = _error_paths(FileSystem, {"DNSName": b"x"})
    assert "$.DNSName: must be a string, not <class 'bytes'>" == text


@pytest.mark.parametrize("document", [None, [], "x", 5], ids=repr)
def test_no_document(document: object) -> None:
    """A document that is no mapping is an error at the root."""
    (text,) = _error_paths(FileSystem, document)
    assert text.startswith("$: must be an object, not ")


def test_errors_of_from_dict_have_no_call() -> None:
    """The error of `from_dict` has no operation and no request id."""
    error = _error_of(from_dict, Tag, {"Value": "Name"})
    assert "The answer cannot be read: $.Key: required, but missing" == str(error)
    assert (None, None, None, 1) == _exchange_of(error)


@pytest.mark.parametrize(
    ("payload", "text"),
    [
        pytest.param(b"", "$: empty", id="empty"),
        pytest.param(b"null", "$: must be an object, not null", id="null"),
        pytest.param(b"[]", "$: must be an object, not a list", id="list"),
        pytest.param(b"5", "$: must be an object, not an integer", id="number"),
        pytest.param(b'"x"', "$: must be an object, not a string", id="string"),
        pytest.param(b"{}", "$.Backup: required, but missing", id="nothing"),
        pytest.param(b'{"Backup": null}', "$.Backup: required, but missing", id="null-member"),
        pytest.param(b'{"Backup": {"Backu', "$: not JSON: ", id="half"),
        pytest.param(b"<html>Bad Gateway</html>", "$: not JSON: ", id="html"),
        pytest.param(b'{"Backup": "\xff"}', "$: not JSON: ", id="no-utf-8"),
        pytest.param(b"[" * 10**5, "$...: nested too deeply", id="deep-brackets"),
    ],
)
def test_garbage(payload: bytes, text: str) -> None:
    """An invalid body becomes an error with one path and all that was received."""
    error = _error_of(_read, "CopyBackup", payload)
    is_malformed = text in {"$: empty", "$: not JSON: "}
    assert payload == error.payload
    assert [text] == [path[: len(text)] for path in error.error_paths]
    assert (is_malformed, is_malformed) == (error.is_malformed, error.is_transient)


@pytest.mark.parametrize("operation", service_model.OPERATIONS)
def test_empty_responses(operation: str) -> None:
    """An empty object is no response of any operation."""
    assert "required, but missing" in str(_error_of(_read, operation, {}))


_DEEPEST = 9
"""Each adds three levels to the three that the response has without."""


def _nested(depth: int) -> Document:
    """Return a response with nested file systems."""
    file_system: Document = {}
    for _ in range(depth):
        file_system = {"AdministrativeActions": [{"TargetFileSystemValues": file_system}]}
    return {"Backup": _backup(FileSystem=file_system)}


def _nested_body(depth: int) -> bytes:
    """Return the same as a body; Python's own JSON module cannot write the deepest."""
    begin, end = b'{"AdministrativeActions": [{"TargetFileSystemValues": ', b"}]}"
    outer = _json({"Backup": _backup(FileSystem="here")})
    return outer.replace(b'"here"', begin * depth + b"{}" + end * depth)


def test_nesting_within_reason() -> None:
    """More levels of nesting than any real response has are read."""
    document = _nested(_DEEPEST)
    written = as_written(document)
    assert written == to_dict(from_dict(CopyBackupResponse, document))
    assert written == to_dict(_read("CopyBackup", _nested_body(_DEEPEST)))


@pytest.mark.parametrize("count", [_DEEPEST + 1, 300])
@pytest.mark.parametrize("as_body", [False, True], ids=["dict", "body"])
def test_nesting_beyond_reason(as_body: bool, count: int) -> None:
    """A response nested too deeply is an error with what was received and a path's beginning."""
    payload = _nested_body(count) if as_body else _nested(count)
    error = _error_of(_read, "CopyBackup", payload)
    (text,) = error.error_paths
    assert payload is error.payload
    assert "$.Backup.FileSystem.AdministrativeActions[0]." == text[:45]
    assert "...: nested too deeply" == text[80:]


def test_nesting_beyond_reason_in_data() -> None:
    """Data of the user that is nested too deeply is kept as it is."""
    data = _nested(10**5)
    error = _error_of(from_dict, CopyBackupResponse, data)
    assert "nested too deeply" in str(error)
    assert data is error.payload


@pytest.mark.parametrize(
    "member", [b'"Backup"', b'"FutureMember"'], ids=["known member", "unknown member"]
)
@pytest.mark.parametrize("levels", [32, 1000, 10**5])
def test_nesting_of_any_kind(member: bytes, levels: int) -> None:
    """Deep nesting in any member is an error that is not transient."""
    payload = b"{" + member + b":" + b"[" * levels + b"]" * levels + b"}"
    error = _error_of(_read, "CopyBackup", payload)
    (text,) = error.error_paths
    assert "$" == text[:1]
    assert "...: nested too deeply" == text[-22:]
    assert not error.is_transient


def test_long_names_of_members_are_cut() -> None:
    """Long names of members are cut in the path to what is nested too deeply."""
    name = "n" * 10**6
    payload = f'{{"{name}":{"[" * 40}{"]" * 40}}}'.encode()
    (text,) = _error_of(_read, "CopyBackup", payload).error_paths
    assert f"$.{'n' * 78}...: nested too deeply" == text


def test_data_that_contains_itself() -> None:
    """Data that contains itself is nested too deeply."""
    data: dict[str, Any] = {"AdministrativeActions": [{}]}
    data["AdministrativeActions"][0]["TargetFileSystemValues"] = data
    assert "nested too deeply" in str(_error_of(from_dict, FileSystem, data))


def test_data_that_contains_one_part_many_times() -> None:
    """A shared part is counted once, so checking the depth takes linear time."""
    part: list[object] = []
    for _ in range(30):
        part = [part, part]
    assert FileSystem() == from_dict(FileSystem, {"FutureMember": part})


def test_a_document_that_is_wrong_everywhere() -> None:
    """Twenty errors are reported, and reading ends soon after them."""
    reads = []

    class Counted(dict[str, object]):
        def items(self) -> Any:
            reads.append(self)
            return super().items()

    page = {"Backups": [Counted() for _ in range(1000)]}
    error = _error_of(from_dict, models.DescribeBackupsResponse, page)

    assert 20 == len(error.error_paths)
    assert "$.Backups[0].BackupId: required, but missing" == error.error_paths[0]
    assert f"The answer cannot be read: {'; '.join(error.error_paths)}; and more" == str(error)
    # Six with four errors each are read, and then all are copied into the error's payload.
    assert 6 + 1000 == len(reads)


@pytest.mark.parametrize(("count", "reported", "more"), [(20, 20, False), (21, 20, True)])
def test_number_of_reported_errors(count: int, reported: int, more: bool) -> None:
    """The message says that there are more errors only when there are."""
    error = _error_of(from_dict, FileSystem, {"SubnetIds": [None] * count})
    assert reported == len(error.error_paths)
    assert more == str(error).endswith("; and more")


def test_errors_of_lists_in_lists() -> None:
    """Errors in inner lists count for the outer one."""
    backups = [_backup(Tags=[{"Value": 1}] * 6) for _ in range(9)]  # two errors in each tag
    paths = _error_paths(models.DescribeBackupsResponse, {"Backups": backups})
    assert ["$.Backups[0]"] * 12 + ["$.Backups[1]"] * 8 == [text[:12] for text in paths]


@pytest.mark.parametrize(
    "sent", ["x" * 10**6, "\n" * 10**6, 10**4400], ids=["text", "escaped", "integer"]
)
def test_long_values_are_cut(sent: object) -> None:
    """No more than eighty characters of a value are in an error or its causes."""
    error = _error_of(from_dict, Backup, _backup(CreationTime=sent))
    (text,) = error.error_paths
    assert "$.CreationTime: must be a time, not " == text[:36]
    assert 116 >= len(text)
    assert 10_000 > len("".join(format_exception(error)))


def test_long_paths_make_no_long_message() -> None:
    """The message is short even when the paths are long; `error_paths` has them whole."""
    document = _nested(_DEEPEST - 1)
    inner: Any = document["Backup"]["FileSystem"]  # type: ignore[index]  # it is a dict
    while inner:
        last, inner = inner, inner["AdministrativeActions"][0]["TargetFileSystemValues"]
    last["AdministrativeActions"] = [5] * 30
    error = _error_of(from_dict, CopyBackupResponse, document)

    assert 20 == len(error.error_paths)
    assert all(text.endswith("must be an object, not an integer") for text in error.error_paths)
    assert 5000 > len(str(error))
    assert str(error).endswith("...")


def test_a_body_has_a_bound() -> None:
    """A body of more than 64 MiB is refused before it is parsed."""
    mebibyte = 1024 * 1024
    body = _json({"BackupId": "backup-01234567", "Lifecycle": "DELETED"})
    error = _error_of(_read, "DeleteBackup", body.ljust(64 * mebibyte + 1))
    assert _read("DeleteBackup", body) == _read("DeleteBackup", body.ljust(64 * mebibyte))
    assert ("$: 67108865 bytes, more than 67108864",) == error.error_paths
    assert not error.is_transient


def test_error_has_the_call_and_the_exchange() -> None:
    """The message is the operation and all errors with paths; the fields say how the call went."""
    error = _error_of(_read, "DeleteBackup", b'{"Lifecycle": 1}')
    assert (
        "DeleteBackup: The answer cannot be read: "
        "$.BackupId: required, but missing; $.Lifecycle: must be a string, not an integer"
    ) == str(error)
    assert ("DeleteBackup", "request-1", 200, 3) == _exchange_of(error)


def test_metadata_is_no_data() -> None:
    """A response has its exchange's metadata, neither compared nor part of `to_dict`."""
    document: Document = {"BackupId": "backup-01234567", "Lifecycle": "DELETED"}
    response = _read("DeleteBackup", document)
    assert _METADATA is response.metadata
    assert from_dict(models.DeleteBackupResponse, document) == response
    assert document == to_dict(response)


_HIDDEN = "hunter2-hunter2"


def _with_secret(secret: object) -> Document:
    """Return a response that has a secret at three depths."""
    file_system: Document = {"OntapConfiguration": {"FsxAdminPassword": secret}}
    for _ in range(2):
        file_system = {
            **file_system,
            "AdministrativeActions": [{"TargetFileSystemValues": file_system}],
        }
    return {"Backup": _backup(FileSystem=file_system)}


def test_raw_response_does_not_show_its_payload() -> None:
    """The repr of a raw response does not show the payload, which may hold secrets."""
    response = _response("CopyBackup", _with_secret(_HIDDEN))
    assert _HIDDEN not in repr(response)
    assert "request-1" in repr(response)


def test_secret_is_not_shown() -> None:
    """No repr shows the password in a file system, at whatever depth."""
    response = from_dict(CopyBackupResponse, _with_secret(_HIDDEN))
    assert 3 == json.dumps(to_dict(response)).count(_HIDDEN)
    assert _HIDDEN not in repr(response)


@pytest.mark.parametrize(
    "payload",
    [
        pytest.param(_json(_with_secret([_HIDDEN])), id="wrong-type"),
        pytest.param(_with_secret([_HIDDEN]), id="wrong-type-parsed"),
        pytest.param(_json(_with_secret(_HIDDEN))[:-3], id="half-a-body"),
        pytest.param(_json({"Backup": _with_secret(_HIDDEN)}), id="wrong-place"),
    ],
)
def test_errors_do_not_show_secrets(payload: bytes | Document) -> None:
    """An error about a response with a secret does not show it, not even in the traceback."""
    error = _error_of(_read, "CopyBackup", payload)
    shown = "".join((str(error), repr(error), *format_exception(error)))
    assert _HIDDEN in str(error.payload)
    assert _HIDDEN not in shown


def test_written_times_and_enums() -> None:
    """`to_dict` returns times as ISO 8601 in UTC, and enums as plain strings."""
    document = _backup(CreationTime="2021-04-09T09:53:28.068+02:00", Type="AWS_BACKUP")
    data = to_dict(from_dict(Backup, document))
    written = "2021-04-09T07:53:28.068000+00:00"
    assert (written, "AWS_BACKUP") == (data["CreationTime"], data["Type"])
    assert str is type(data["Type"])


@pytest.mark.parametrize(
    ("ours", "wire"),
    [
        ("backup_id", "BackupId"),
        ("dns_ips", "DnsIps"),
        ("dns_name", "DNSName"),
        ("resource_arn", "ResourceARN"),
        ("size_gib", "SizeGiB"),
    ],
)
def test_wire_name(ours: str, wire: str) -> None:
    """Names are capitalised word by word, except for the irregular ones."""
    assert wire == wire_name(ours)


class _Unhashable(type):
    __hash__ = None  # type: ignore[assignment]  # on purpose


@pytest.mark.parametrize(
    "cls",
    [
        pytest.param(dict, id="dict"),
        pytest.param(5, id="integer"),
        pytest.param(10**5000, id="integer-too-long-to-write"),
        pytest.param("Backup", id="text"),
        pytest.param([], id="list"),
        pytest.param({}, id="mapping"),
        pytest.param(None, id="none"),
        pytest.param(_Unhashable("Odd", (), {}), id="class-without-hash"),
        pytest.param(BackupNotFound, id="error"),
        pytest.param(BackupLifecycle, id="enum"),
    ],
)
def test_only_models_can_be_made(cls: Any) -> None:
    """`from_dict` refuses everything but models, errors of this package included."""
    with pytest.raises(InvalidArguments, match="^cls: must be a model, not "):
        from_dict(cls, {})


@pytest.mark.parametrize(
    "model",
    [None, {}, "x", 5, 1.5, Backup, BackupNotFound("gone"), _Unhashable("Odd", (), {})()],
    ids=["none", "dict", "text", "int", "float", "class", "error", "of-a-class-without-hash"],
)
def test_only_models_can_be_written(model: Any) -> None:
    """`to_dict` refuses everything but instances of models, also of unhashable classes."""
    with pytest.raises(InvalidArguments, match="^model: must be an instance of a model, not "):
        to_dict(model)


@pytest.mark.usefixtures("_in_new_york")
def test_time_without_a_zone_is_utc_both_ways() -> None:
    """A naive time in a model of the user is written as UTC."""
    snapshot = models.Snapshot(creation_time=_EXAMPLE_TIME.replace(tzinfo=None))
    assert {"CreationTime": _EXAMPLE_TIME.isoformat()} == to_dict(snapshot)


@given(moment=st.datetimes(timezones=_ZONES).filter(lambda moment: 1 < moment.year < 9999))
def test_times_survive_to_the_microsecond(moment: datetime) -> None:
    """A time of any year is the same after JSON."""
    snapshot = models.Snapshot(creation_time=moment)
    again = from_dict(models.Snapshot, json.loads(json.dumps(to_dict(snapshot))))
    assert snapshot == again
    assert again.creation_time is not None
    assert UTC is again.creation_time.tzinfo


def test_error_about_any_mapping_pickles() -> None:
    """An error about mappings that do not pickle keeps them as dicts."""
    data = MappingProxyType({"Backup": MappingProxyType({"Tags": [MappingProxyType({})]})})
    error = _error_of(from_dict, CopyBackupResponse, data)
    assert {"Backup": {"Tags": [{}]}} == pickle.loads(pickle.dumps(error)).payload
