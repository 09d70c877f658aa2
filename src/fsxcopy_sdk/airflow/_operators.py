"""The operators: they defer to triggers, or run the same triggers in an event loop of a task."""

# ruff: noqa: PLC0415 - a DAG's file is parsed every minute, and needs no client for that

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs
from airflow.providers.amazon.aws.operators.base_aws import AwsBaseOperator
from airflow.providers.amazon.aws.utils.mixins import aws_template_fields

from fsxcopy_sdk._validation import (
    DEFAULT_MAX_IN_PROGRESS,
    ArgumentErrors,
    Duration,
    invalid,
    partition_of,
    seconds,
    shown,
)
from fsxcopy_sdk.airflow._documents import (
    JsonDocument,
    checked,
    exception,
    for_task,
    has_failed_with,
    summary,
    text_of,
)
from fsxcopy_sdk.airflow._hook import FsxCopyHook
from fsxcopy_sdk.airflow._link import FsxBackupLink
from fsxcopy_sdk.airflow._local_run import LocalRun
from fsxcopy_sdk.airflow._triggers import (
    CommonArguments,
    FsxBackupAvailableTrigger,
    FsxCopyBackupsTrigger,
    FsxCopyBackupTrigger,
    FsxSyncTrigger,
    FsxTrigger,
)

if TYPE_CHECKING:
    from airflow.sdk import Context

    from fsxcopy_sdk.bulk import CopyRequest

_MAX_WAIT = 8 * 3600.0
"""Seconds: `DEFAULT_MAX_WAIT`, whose module would import the client."""

_RETURN_VALUE = "return_value"
_SOME_BACKUP_ID = "backup-00000000"


class _FsxOperator(AwsBaseOperator[FsxCopyHook]):
    """
    What the operators have in common: the connection, and where they wait.

    Arguments of the connection are those of the Amazon provider: `aws_conn_id`, `region_name`,
    `verify` and `botocore_config`.
    """

    aws_hook_class = FsxCopyHook

    def __init__(
        self, *, max_wait: Duration = _MAX_WAIT, deferrable: bool = True, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.max_wait = seconds("max_wait", max_wait)
        # Not the setting default_deferrable, which Airflow sets to False where nobody did: a
        # copy takes hours, and a slot of a worker is nothing to hold for hours by default.
        self.deferrable = deferrable
        self._run: LocalRun | None = None

    @property
    def _connection(self) -> CommonArguments:
        return {
            "aws_conn_id": self.aws_conn_id,
            "region_name": self.region_name,
            "verify": self.verify,
            "botocore_config": self.botocore_config,
        }

    def _await(self, trigger: FsxTrigger, method_name: str, context: Context) -> JsonDocument:
        """Let a trigger work, in the triggerer or here; then that method gets its event."""
        if self.deferrable:
            self.defer(trigger=trigger, method_name=method_name)
        result: JsonDocument = getattr(self, method_name)(context, self._run_here(trigger))
        return result

    def _run_here(self, trigger: FsxTrigger) -> JsonDocument:
        """Return the event of a trigger, which works in this task."""
        self._run = LocalRun(trigger)
        return self._run.event()

    def on_kill(self) -> None:
        """Leave the copies to the service, and say which."""
        if self._run is not None:
            self._run.kill(self.log)

    def _return(self, document: JsonDocument, context: Context) -> JsonDocument:
        """Return the document of many outcomes; fail if one of them is not good."""
        text = summary(document)
        self.log.info("%s", text)
        if document["IsGood"]:
            return document
        if self.do_xcom_push:  # what a task returns is not kept when it fails
            context["ti"].xcom_push(key=_RETURN_VALUE, value=document)
        raise exception(text, may_retry=bool(document["RetryHelps"]))


class FsxCopyBackupOperator(_FsxOperator):
    """
    Copy one backup into the Region of the connection, and wait until the copy is AVAILABLE.

    Each task instance makes one copy: its token is that of the DAG, the task, the run and the
    map index, whatever the try. A retry finds the copy of an earlier try by the token, and later
    by its source: then any copy of the backup counts. For many backups, and for those that may
    have a copy already, use `FsxCopyBackupsOperator`.

    It returns ``{"Version": 1, "Outcome": "Available", "BackupId": ..., "Region": ..., "Backup":
    {...}}``.

    Args:
        source_backup_id: The backup to copy, which must be AVAILABLE.
        source_region: The Region it lives in; None for that of the copy.
        kms_key_id: The key for the copy; None for the account's key of FSx (aws/fsx).
        copy_tags: Whether the source's tags are copied too.
        tags: Tags for the copy, which win over the source's.
        max_wait: Seconds or a timedelta that the copy is waited for, and before that
            while the service has no capacity for it.
        deferrable: Whether to wait in the triggerer; if not, the task holds its slot.
    """

    template_fields: Sequence[str] = aws_template_fields(
        "source_backup_id", "source_region", "kms_key_id", "tags"
    )
    operator_extra_links = (FsxBackupLink(),)

    def __init__(
        self,
        *,
        source_backup_id: str,
        source_region: str | None = None,
        kms_key_id: str | None = None,
        copy_tags: bool = False,
        tags: Mapping[str, str] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.source_backup_id = source_backup_id
        self.source_region = source_region
        self.kms_key_id = kms_key_id
        self.copy_tags = copy_tags
        self.tags = tags
        self.has_begun = False
        """Whether the service has accepted the copy, as far as this process knows."""

    def execute(self, context: Context) -> JsonDocument:
        """
        Request the copy, or have that done when there is capacity.

        Raises:
            AirflowException: it failed; AirflowFailException where no retry helps.
        """
        with for_task():
            request = self._request(context)

        def trigger(max_wait: float) -> FsxCopyBackupTrigger:
            return FsxCopyBackupTrigger(
                request=request.to_dict(),
                tries=context["ti"].try_number,
                max_wait=max_wait,
                **self._connection,
            )

        # The service mostly has capacity, and then there is nothing to defer for yet.
        event = self._run_here(trigger(0.0 if self.deferrable else self.max_wait))
        if self.deferrable and has_failed_with(event, "CopyNotBegun"):
            self.log.info("waits for capacity: %s", text_of(event))
            return self._await(trigger(self.max_wait), "execute_started", context)
        return self.execute_started(context, event)

    def execute_started(self, context: Context, event: JsonDocument | None = None) -> JsonDocument:
        """Note which copy was accepted, and wait for it."""
        started = _checked_copy(event)
        backup_id, region = str(started["BackupId"]), str(started["Region"])
        self.log.info("%s: the copy of %s into %s", backup_id, self.source_backup_id, region)
        self.has_begun = True
        FsxBackupLink.persist(
            context=context,
            operator=self,
            region_name=region,
            aws_partition=partition_of(region),
            backup_id=backup_id,
        )
        trigger = FsxBackupAvailableTrigger(
            backup_id=backup_id,
            deadline=time.time() + self.max_wait,
            is_accepted=True,
            **self._connection,
        )
        return self._await(trigger, "execute_complete", context)

    def execute_complete(
        self,
        context: Context,  # noqa: ARG002 - as Airflow calls it
        event: JsonDocument | None = None,
    ) -> JsonDocument:
        """Return the copy."""
        self.has_begun = True
        return _checked_copy(event)

    def _request(self, context: Context) -> CopyRequest:
        from fsxcopy_sdk.airflow._running import next_token
        from fsxcopy_sdk.bulk import CopyRequest

        request = CopyRequest(
            source_backup_id=self.source_backup_id,
            source_region=self.source_region,
            kms_key_id=self.kms_key_id,
            copy_tags=self.copy_tags,
            tags=self.tags or {},
        )
        ti = context["ti"]
        # With the request: a task that was changed and cleared asks for another copy.
        own = (ti.dag_id, ti.task_id, ti.run_id, ti.map_index, request.to_dict())
        return attrs.evolve(request, client_request_token=next_token(*own))


def _checked_copy(event: JsonDocument | None) -> JsonDocument:
    """Return the event of a copy; one that is dead may be requested anew."""
    if event is not None and has_failed_with(event, "BackupCopyFailed"):
        raise exception(f"{text_of(event)}: a retry requests another copy", may_retry=True)
    return checked(event)


class FsxCopyBackupsOperator(_FsxOperator):
    """
    Copy many backups into the Region of the connection, as many at a time as the service allows.

    One trigger copies them all, as `copy_many` does: a backup that has a copy already is not
    copied again, whoever made it, and the rest starts as others end. So a retry, and a triggerer
    that takes over from one that was killed, continue where the last one was. For several Regions
    expand `region_name`: each has a quota of its own.

    It returns ``{"Version": 1, "Outcome": "Ended", "Region": ..., "Outcomes": [{"Outcome":
    "Copied", "SourceBackupId": ..., "BackupId": ...}, ...]}``, also where it fails because not
    all were copied.

    Args:
        source_backup_ids: The backups to copy.
        source_region: The Region they live in; None for that of the copies.
        kms_key_id: The key for the copies; None for the account's key of FSx (aws/fsx).
        copy_tags: Whether the sources' tags are copied too.
        tags: Tags for the copies, which win over the sources'.
        max_in_progress: Copies in progress at once.
        max_wait: Seconds or a timedelta that each copy is waited for, as for `copy_many`.
        deferrable: Whether to wait in the triggerer; if not, the task holds its slot.
    """

    template_fields: Sequence[str] = aws_template_fields(
        "source_backup_ids", "source_region", "kms_key_id", "tags"
    )

    def __init__(
        self,
        *,
        source_backup_ids: Sequence[str],
        source_region: str | None = None,
        kms_key_id: str | None = None,
        copy_tags: bool = False,
        tags: Mapping[str, str] | None = None,
        max_in_progress: int = DEFAULT_MAX_IN_PROGRESS,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.source_backup_ids = source_backup_ids
        self.source_region = source_region
        self.kms_key_id = kms_key_id
        self.copy_tags = copy_tags
        self.tags = tags
        self.max_in_progress = max_in_progress

    def execute(self, context: Context) -> JsonDocument:
        """
        Have the backups copied.

        Raises:
            AirflowException: not all were copied; AirflowFailException where no retry helps.
        """
        with for_task():
            ids, request = self._requests()
        trigger = FsxCopyBackupsTrigger(
            source_backup_ids=ids,
            request=request,
            max_in_progress=self.max_in_progress,
            max_wait=self.max_wait,
            **self._connection,
        )
        return self._await(trigger, "execute_complete", context)

    def _requests(self) -> tuple[list[str], JsonDocument]:
        """Return the IDs, and what the requests have in common; all are checked."""
        from fsxcopy_sdk.airflow._running import requests_of
        from fsxcopy_sdk.bulk import CopyRequest

        given: object = self.source_backup_ids
        if isinstance(given, str) or not isinstance(given, Sequence):
            rule = "a list of IDs (a template needs render_template_as_native_obj)"
            raise invalid("source_backup_ids", rule, shown(given))
        ids = [*given]
        example = CopyRequest(
            source_backup_id=_SOME_BACKUP_ID,
            source_region=self.source_region,
            kms_key_id=self.kms_key_id,
            copy_tags=self.copy_tags,
            tags=self.tags or {},
        )
        request = example.to_dict()
        requests_of(ids, request)
        return ids, request

    def execute_complete(
        self, context: Context, event: JsonDocument | None = None
    ) -> JsonDocument:
        """Return the outcomes."""
        return self._return(checked(event), context)


class FsxSyncOperator(_FsxOperator):
    """
    Copy and prune as the policies of a fleet's file say, or one policy.

    The file is read by the task; `region_name` is not used then. Accounts of it without a
    profile have the credentials of the connection, and roles are assumed with them; profiles are
    those of the triggerer's machine. Where backups are missing or cannot be read, or where
    copies are held back from pruning, the task fails after it has done everything else.

    It returns ``{"Version": 1, "Outcome": "Ended", "Plans": [...], "Outcomes": [...],
    "Failures": [...], "Warnings": [...]}``, also where it fails: of each plan the numbers, and of
    each copy and deletion its outcome.

    Args:
        config: The path of a fleet's file.
        policies: The names of the policies of it to sync; none for all.
        policy: The document of a `ReplicationPolicy` instead; the connection's Region gets
            the copies.
        source_region: The Region of that policy's backups.
        prune: Whether copies that this policy does not keep are deleted; a file says it itself.
        prune_orphans: Whether to delete also copies whose source shows no AVAILABLE backup.
        prune_most: Whether to delete more than half of a source's copies.
        strict: Whether a backup that cannot be read makes a plan fail.
        max_wait: Seconds or a timedelta that each copy is waited for.
        deferrable: Whether to wait in the triggerer; if not, the task holds its slot.

    Raises:
        InvalidArguments: arguments contradict each other.
    """

    template_fields: Sequence[str] = aws_template_fields(
        "config", "policies", "policy", "source_region"
    )

    def __init__(
        self,
        *,
        config: str | None = None,
        policies: Sequence[str] = (),
        policy: Mapping[str, object] | None = None,
        source_region: str | None = None,
        prune: bool = False,
        prune_orphans: bool = False,
        prune_most: bool = False,
        strict: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        errors = ArgumentErrors()
        if (config is None) == (policy is None):
            given = "neither" if config is None else "both"
            errors.add("config, policy", "one of them", given)
        if policy is None and (source_region is not None or prune):
            errors.add("source_region, prune", "given with policy", "with config")
        errors.raise_any()
        self.config = config
        self.policies = policies
        self.policy = policy
        self.source_region = source_region
        self.prune = prune
        self.prune_orphans = prune_orphans
        self.prune_most = prune_most
        self.strict = strict

    def execute(self, context: Context) -> JsonDocument:
        """
        Have the policies carried out.

        Raises:
            AirflowException: not all went well; AirflowFailException where no retry helps.
        """
        with for_task():
            sync = self._sync()
        trigger = FsxSyncTrigger(sync=sync, **self._connection)
        return self._await(trigger, "execute_complete", context)

    def _sync(self) -> JsonDocument:
        """Return what is synced, checked."""
        from fsxcopy_sdk.airflow._syncing import Sync
        from fsxcopy_sdk.fleet import Fleet

        text = None
        if self.config is not None:
            Fleet.from_toml(self.config)  # whose errors name the file
            text = Path(self.config).read_text("utf-8-sig")
        sync = Sync(
            fleet=text,
            policies=[*self.policies],
            policy=self.policy,
            source_region=self.source_region,
            region_name=None if self.policy is None else self.region_name or self.hook.region_name,
            prune=self.prune,
            prune_orphans=self.prune_orphans,
            prune_most=self.prune_most,
            strict=self.strict,
            max_wait=self.max_wait,
        )
        sync.to_fleet()
        return attrs.asdict(sync, recurse=False)

    def execute_complete(
        self, context: Context, event: JsonDocument | None = None
    ) -> JsonDocument:
        """Return what was done."""
        return self._return(checked(event), context)
