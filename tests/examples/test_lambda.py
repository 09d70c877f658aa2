"""The Lambda function, run as Lambda runs it, and the state machine that calls it, walked."""

from __future__ import annotations

import asyncio
import json
import math
import re
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from anyio.from_thread import start_blocking_portal
from examples_rig import EXAMPLES, load

from fsxcopy_sdk import AccessDenied
from fsxcopy_sdk.testing import Fault, LocalFsx, ManualClock

FOLDER = EXAMPLES / "lambda"
MACHINE = json.loads((FOLDER / "state_machine.json").read_text("utf-8"))
START = datetime(2026, 11, 1, tzinfo=UTC)
EAST, WEST = "us-east-2", "us-west-2"
HOUR = 3600.0
EVERYTHING = {"Version": 1, "Name": "nightly", "Newest": None}
INPUT = {"SourceRegion": EAST, "DestinationRegion": WEST, "Policy": EVERYTHING}

lambda_function = load(FOLDER / "handler.py")


@contextmanager
def _served(**settings: Any) -> Iterator[LocalFsx]:
    """Serve from another thread, because the handler has event loops of its own."""
    settings = {"clock": ManualClock(auto_advance=True), "started_at": START, **settings}
    with (
        start_blocking_portal() as portal,
        portal.wrap_async_context_manager(LocalFsx(**settings)) as fsx,
        pytest.MonkeyPatch.context() as patch,
    ):
        # All that Lambda says of the account, and where AWS is.
        patch.setenv("AWS_ACCESS_KEY_ID", "ASIAEXAMPLE")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "any")
        patch.setenv("AWS_SESSION_TOKEN", "any")
        patch.setenv("AWS_ENDPOINT_URL_FSX", fsx.endpoint_url)
        yield fsx


def _clock(fsx: LocalFsx) -> ManualClock:
    assert isinstance(fsx.clock, ManualClock)
    return fsx.clock


def _back_up(fsx: LocalFsx, count: int) -> list[str]:
    return [
        fsx.add_backup(EAST, FileSystem={"FileSystemId": f"fs-{number % 4:017x}"})
        for number in range(count)
    ]


def _copies(fsx: LocalFsx) -> Counter[object]:
    return Counter(one["SourceBackupId"] for one in fsx.backups(WEST))


def _get(path: str, of: Any) -> Any:
    """Return what a path of the states' language leads to."""
    for name in path.split(".")[1:]:
        of = of[name]
    return of


def _filled(template: Any, data: Any, context: Any) -> Any:
    """Return the parameters of a state, with what their paths lead to."""
    if not isinstance(template, dict):
        return template
    filled = {}
    for name, value in template.items():
        if name.endswith(".$"):
            is_of_context = value.startswith("$$.")
            found = _get(value[1:], context) if is_of_context else _get(value, data)
            filled[name.removesuffix(".$")] = found
        else:
            filled[name] = _filled(value, data, context)
    return filled


def _walk(
    given: Any, invoke: Callable[[Any], Any], sleep: Callable[[float], None]
) -> tuple[str, Any]:
    """Walk the state machine; return the name of the last state and its input."""
    # The input and the answers of a function pass through JSON.
    data = json.loads(json.dumps(given))
    context = {"Execution": {"Input": data}}
    name = MACHINE["StartAt"]
    for _ in range(1000):
        state = MACHINE["States"][name]
        match state["Type"]:
            case "Task":
                assert "arn:aws:states:::lambda:invoke" == state["Resource"]
                parameters = _filled(state["Parameters"], data, context)
                answer = {"StatusCode": 200, "Payload": invoke(parameters["Payload"])}
                data = json.loads(json.dumps(_get(state["OutputPath"], answer)))
                name = state["Next"]
            case "Choice":
                choices = (
                    one["Next"]
                    for one in state["Choices"]
                    if _get(one["Variable"], data) == one["StringEquals"]
                )
                name = next(choices, state["Default"])
            case "Wait":
                sleep(_get(state["SecondsPath"], data))
                name = state["Next"]
            case ended:
                assert ended in {"Succeed", "Fail"}
                return name, data
    raise AssertionError("it does not end")


def test_thirty_backups_are_copied_once() -> None:
    """Five at a time, by invocations of seconds in one process, each in a fresh event loop."""
    answers = []
    with _served(copy_duration=600) as fsx:
        backups = _back_up(fsx, 30)

        def invoke(event: Any) -> Any:
            begun = time.monotonic()
            answers.append(lambda_function.handler(INPUT, None))
            assert time.monotonic() - begun < 20
            return answers[-1]

        end, last = _walk(INPUT, invoke, _clock(fsx).advance)

    assert ("Done", {}) == (end, +Counter(last["Outcomes"]))
    assert dict.fromkeys(backups, 1) == _copies(fsx)
    assert 5 == fsx.max_copies_in_progress_seen(WEST)
    assert {"CopyStarted": 5, "CopyDeferred": 25} == +answers[0]["Outcomes"]
    assert 30 == fsx.calls["CopyBackup"]
    # What a step costs: three listings of the destination and one of the source, and at most
    # two more to confirm what is to be copied.
    assert 6 * len(answers) >= fsx.calls["DescribeBackups"]
    print(f"{len(answers)} steps, {dict(fsx.calls)}")  # noqa: T201 - shown by -rP


@pytest.mark.parametrize("seed", range(2))
def test_all_are_copied_once_by_a_service_that_loses_answers(seed: int) -> None:
    """Whatever is lost, each step takes at most twenty seconds and no backup has two copies."""
    with _served(
        copy_duration=lambda backup_id: 200 + 4 * int(backup_id[-2:], 16),
        tokens_remembered_for=120,
        unseen_for=240,
        unseen_by="listing",
        seed=seed,
    ) as fsx:
        clock = _clock(fsx)
        backups = _back_up(fsx, 15)
        fsx.inject(Fault.reset(), fraction=0.1, operation="CopyBackup", after=True)
        fsx.inject(Fault.throttling(), fraction=0.1)

        def invoke(event: Any) -> Any:
            begun = clock.now()
            answer = asyncio.run(lambda_function.step(event, clock))
            assert clock.now() - begun <= 20
            return answer

        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("AWS_MAX_ATTEMPTS", "1")  # aiobotocore would sleep for real
            end, _ = _walk(INPUT, invoke, clock.advance)

    assert "Done" == end
    assert dict.fromkeys(backups, 1) == _copies(fsx)


def test_a_copy_that_fails_is_not_repeated() -> None:
    """The others are copied, the execution fails, and one after the hour tries again."""
    with _served(copy_duration=600) as fsx:
        failing, *others = _back_up(fsx, 7)

        def sleep(seconds: float) -> None:
            for copy in fsx.backups(WEST):
                if copy["SourceBackupId"] == failing and copy["Lifecycle"] != "FAILED":
                    fsx.fail_copy(str(copy["BackupId"]), "the key is disabled")
            _clock(fsx).advance(seconds)

        def invoke(event: Any) -> Any:
            return lambda_function.handler(INPUT, None)

        end, last = _walk(INPUT, invoke, sleep)
        assert ("Some failed", {"CopyFailed": 1}) == (end, +Counter(last["Outcomes"]))
        assert dict.fromkeys([failing, *others], 1) == _copies(fsx)

        _clock(fsx).advance(HOUR)
        answer = invoke(INPUT)
        assert {"CopyStarted": 1} == +answer["Outcomes"]


def test_what_cannot_be_copied_is_counted() -> None:
    """A backup that FSx does not copy is not requested, and does not go unsaid."""
    with _served() as fsx:
        fsx.add_backup(
            EAST,
            FileSystem={
                "FileSystemId": "fs-0123456789abcdef0",
                "StorageType": "INTELLIGENT_TIERING",
            },
        )
        answer = lambda_function.handler(INPUT, None)
    (problem,) = answer["Problems"]
    assert ("Fail", {}) == (answer["Next"], +answer["Outcomes"])
    assert "Intelligent-Tiering" in problem


def test_nothing_to_protect_is_no_good_night() -> None:
    """A Region without any backup of the policy's ends the execution as failed."""
    with _served():
        answer = lambda_function.handler({**INPUT, "SourceRegion": "eu-west-1"}, None)
    assert "Fail" == answer["Next"]
    assert ["eu-west-1 shows no backup in the policy's scope"] == answer["Problems"]


def test_a_copy_that_takes_long_to_fail_ends_the_execution() -> None:
    """Each pause is twice the one before, so that steps see a copy FAILED sooner or later."""
    with _served(copy_duration=10 * HOUR) as fsx:
        _back_up(fsx, 1)

        def sleep(seconds: float) -> None:
            _clock(fsx).advance(seconds)
            for copy in fsx.backups(WEST):
                age = _clock(fsx).now() - (float(str(copy["CreationTime"])) - START.timestamp())
                if copy["Lifecycle"] == "COPYING" and age > 70 * 60:
                    fsx.fail_copy(str(copy["BackupId"]), "the key is disabled")

        end, _ = _walk(INPUT, lambda event: lambda_function.handler(event, None), sleep)
        assert ("Some failed", 2) == (end, fsx.calls["CopyBackup"])


def test_what_passes_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """An overloaded service makes the next step come later, a missing permission ends it all."""
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    with _served() as fsx:
        _back_up(fsx, 1)
        fsx.inject(Fault.throttling(), next_calls=1)
        answer = lambda_function.handler(INPUT, None)
        assert ("Wait", 300, "Throttled") == (
            answer["Next"],
            answer["Seconds"],
            answer["Error"]["Type"],
        )
        assert answer == json.loads(json.dumps(answer))
        fsx.inject(Fault.error("AccessDeniedException", "no", status=400), next_calls=1)
        with pytest.raises(AccessDenied):
            lambda_function.handler(INPUT, None)


def test_an_answer_that_is_lost_makes_a_long_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the service may have accepted is left alone until a listing shows it."""
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    with _served(unseen_for=math.inf, unseen_by="listing") as fsx:
        _back_up(fsx, 1)
        fsx.inject(Fault.reset(), fraction=1, operation="CopyBackup", after=True)
        answer = asyncio.run(lambda_function.step(INPUT, _clock(fsx)))
    assert ("Wait", HOUR) == (answer["Next"], answer["Seconds"])
    assert {"CopyNotObserved": 1} == +answer["Outcomes"]


def test_by_hand() -> None:
    """The lines of the head comment do what it says."""
    with _served(copy_duration=0) as fsx:
        fsx.add_example_backup()
        outputs = [_output(FOLDER / "handler.py") for _ in range(2)]
    assert [{"Copied": 1}, {}] == [+Counter(one["Outcomes"]) for one in outputs]
    assert ["Done", "Done"] == [one["Next"] for one in outputs]


def _output(path: Path) -> Any:
    command = [sys.executable, path]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def test_the_policy_allows_what_is_called_and_nothing_else() -> None:
    """Each operation that steps call is allowed, and tags; nothing can be deleted."""
    with _served(copy_duration=0) as fsx:
        _back_up(fsx, 2)
        _walk(INPUT, lambda event: lambda_function.handler(INPUT, None), _clock(fsx).advance)
    statements = json.loads((FOLDER / "policy.json").read_text("utf-8"))["Statement"]
    allowed = {
        action
        for one in statements
        for action in ([one["Action"]] if isinstance(one["Action"], str) else one["Action"])
    }
    called = {f"fsx:{operation}" for operation in fsx.calls}
    assert called | {"fsx:TagResource"} == {one for one in allowed if one.startswith("fsx:")}
    assert {"logs:CreateLogStream", "logs:PutLogEvents"} == allowed - called - {"fsx:TagResource"}
    assert not any("*" in one for one in allowed)
    accounts = re.findall(r"\d{12}", json.dumps(statements))
    assert {"123456789012"} == set(accounts)
