"""The operators: they defer to triggers, or run the same triggers in an event loop of a task."""

# ruff: noqa: PLC0415 - a DAG's file is parsed every minute, and needs no client for that

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
    rows,
    summary,
)
from fsxcopy_sdk.airflow._hook import FsxCopyHook
from fsxcopy_sdk.airflow._link import FsxBackupLink
from fsxcopy_sdk.airflow._local_run import LocalRun
from fsxcopy_sdk.airflow._triggers import (
    FsxCopyBackupsTrigger,
    FsxSyncTrigger,
    FsxTrigger,
    connection_to,
)

if TYPE_CHECKING:
    from airflow.sdk import Context

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
        # Not the setting default_deferrable, which is False in Airflow's own configuration: a
        # copy takes hours, and a task should not hold a worker slot for so long.
        self.deferrable = deferrable
        self._run: LocalRun | None = None

    def _await(self, trigger: FsxTrigger, method_name: str, context: Context) -> JsonDocument:
        """Let a trigger work, in the triggerer or here; then that method gets its event."""
        if self.deferrable:
            self.defer(trigger=trigger, method_name=method_name)
        self._run = LocalRun(trigger)
        result: JsonDocument = getattr(self, method_name)(context, self._run.event())
        return result

    def on_kill(self) -> None:
        """Leave the copies to the service; the log says which."""
        if self._run is not None:
            self._run.kill()

    def _return(
        self, document: JsonDocument, outcomes: Sequence[Mapping[str, object]], context: Context
    ) -> JsonDocument:
        """Return the document of the run; fail if one of its outcomes is a failure."""
        text = summary(document, outcomes)
        self.log.info("%s", text)
        if document["IsGood"]:
            return document
        if self.do_xcom_push:  # what a task returns is not kept when it fails
            context["ti"].xcom_push(key=_RETURN_VALUE, value=document)
        raise exception(text, may_retry=bool(document["RetryHelps"]))


class _CopyOperator(_FsxOperator):
    """What the operators that copy have in common: what they request, and how."""

    def __init__(
        self,
        *,
        source_region: str | None = None,
        kms_key_id: str | None = None,
        copy_tags: bool = False,
        tags: Mapping[str, str] | None = None,
        idempotency_salt: str = "",
        max_in_progress: int = DEFAULT_MAX_IN_PROGRESS,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.source_region = source_region
        self.kms_key_id = kms_key_id
        self.copy_tags = copy_tags
        self.tags = tags
        self.idempotency_salt = idempotency_salt
        self.max_in_progress = max_in_progress

    def _copy(
        self,
        backup_ids: Sequence[str],
        volume_ids: Mapping[str, str],
        context: Context,
        *,
        with_backups: bool,
    ) -> JsonDocument:
        """Have backups copied; what can be checked without calls is checked before."""
        with for_task():
            trigger = FsxCopyBackupsTrigger(
                source_backup_ids=backup_ids,
                request=self._request(backup_ids, volume_ids),
                max_in_progress=self.max_in_progress,
                max_wait=self.max_wait,
                volume_ids=volume_ids,
                with_backups=with_backups,
                **connection_to(self, self.hook.region()),
            )
        return self._await(trigger, "execute_complete", context)

    def _request(self, backup_ids: Sequence[str], volume_ids: Mapping[str, str]) -> JsonDocument:
        """Return what the requests have in common."""
        from fsxcopy_sdk.airflow._running import requests_of
        from fsxcopy_sdk.bulk import CopyRequest

        errors = ArgumentErrors()
        errors.check_count("max_in_progress", self.max_in_progress)
        errors.raise_any()
        example = CopyRequest(
            source_backup_id=_SOME_BACKUP_ID,
            source_region=self.source_region,
            kms_key_id=self.kms_key_id,
            copy_tags=self.copy_tags,
            tags=self.tags or {},
            idempotency_salt=self.idempotency_salt,
        )
        request = example.to_dict()
        requests_of(backup_ids, request, volume_ids)
        return request


class FsxCopyBackupOperator(_CopyOperator):
    """
    Copy one backup into the Region of the connection, and wait until the copy is AVAILABLE.

    A backup that has a copy there, of any program, is not copied again: so a retry, a task that
    was cleared, and a triggerer that takes over from one that was killed find the copy that was
    begun. Mapped tasks whose triggers start within seconds of each other, in one triggerer and
    with the same limits, share one listing and one queue.

    It returns ``{"Version": 1, "Outcome": "Copied", "SourceBackupId": ..., "BackupId": ...,
    "Region": ..., "Backup": {...}}``; where it fails, it pushes the same with an ``"Error"``.

    Args:
        source_backup_id: The backup to copy, which must be AVAILABLE.
        source_region: The Region it lives in; None for that of the copy.
        kms_key_id: The key for the copy; None for the account's key of FSx (aws/fsx).
        copy_tags: Whether the source's tags are copied too.
        tags: Tags for the copy, which win over the source's.
        idempotency_salt: Change this text to force another copy: ``"{{ run_id }}"`` makes one
            for each run of the DAG.
        volume_id: The ONTAP volume of the backup, if it has one: its copies have a limit of
            their own, and without this many at their limit may delay others by minutes.
        max_in_progress: Copies in progress at once, of all tasks that run together.
        max_wait: Seconds or a timedelta that the copy is waited for, and before that
            while the service has no capacity for it.
        deferrable: Whether to wait in the triggerer; if not, the task holds its slot.
    """

    template_fields: Sequence[str] = aws_template_fields(
        "source_backup_id",
        "source_region",
        "kms_key_id",
        "tags",
        "idempotency_salt",
        "volume_id",
    )
    operator_extra_links = (FsxBackupLink(),)

    def __init__(
        self, *, source_backup_id: str, volume_id: str | None = None, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.source_backup_id = source_backup_id
        self.volume_id = volume_id
        self.has_copy = False
        """Whether there is a copy, as far as this process knows."""

    def execute(self, context: Context) -> JsonDocument:
        """
        Have the backup copied.

        Raises:
            AirflowException: it was not; AirflowFailException where no retry helps.
        """
        source = self.source_backup_id
        volume_ids = {source: self.volume_id} if self.volume_id else {}
        return self._copy([source], volume_ids, context, with_backups=True)

    def execute_complete(
        self, context: Context, event: JsonDocument | None = None
    ) -> JsonDocument:
        """Return the copy."""
        document = checked(event)
        (row,) = rows(document.pop("Outcomes"))
        if "BackupId" in row:
            self.has_copy = True
            region = str(document["Region"])
            FsxBackupLink.persist(
                context=context,
                operator=self,
                region_name=region,
                aws_partition=partition_of(region),
                backup_id=row["BackupId"],
            )
        return self._return({**document, **row}, [row], context)


class FsxCopyBackupsOperator(_CopyOperator):
    """
    Copy many backups into the Region of the connection, as many at a time as the service allows.

    One trigger copies them all, as `copy_many` does: a backup that has a copy already, of any
    program, is not copied again, and the rest starts as others end. So a retry, and a triggerer
    that takes over from one that was killed, continue where the last one was. For several Regions
    expand `region_name`: each has a quota of its own.

    It returns ``{"Version": 1, "Outcome": "Ended", "Region": ..., "Outcomes": [{"Outcome":
    "Copied", "SourceBackupId": ..., "BackupId": ...}, ...]}``, also where it fails because not
    all were copied.

    Args:
        source_backup_ids: The backups to copy, each once.
        source_region: The Region they live in; None for that of the copies.
        kms_key_id: The key for the copies; None for the account's key of FSx (aws/fsx).
        copy_tags: Whether the sources' tags are copied too.
        tags: Tags for the copies, which win over the sources'.
        idempotency_salt: Change this text to force other copies: ``"{{ run_id }}"`` makes them
            for each run of the DAG.
        volume_ids: The ONTAP volumes of those backups that are of one, by the backups' IDs:
            copies of each have a limit of their own.
        max_in_progress: Copies in progress at once; of ONTAP volumes, of each.
        max_wait: Seconds or a timedelta that each copy is waited for, as for `copy_many`.
        deferrable: Whether to wait in the triggerer; if not, the task holds its slot.
    """

    template_fields: Sequence[str] = aws_template_fields(
        "source_backup_ids",
        "source_region",
        "kms_key_id",
        "tags",
        "idempotency_salt",
        "volume_ids",
    )

    def __init__(
        self,
        *,
        source_backup_ids: Sequence[str],
        volume_ids: Mapping[str, str] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.source_backup_ids = source_backup_ids
        self.volume_ids = volume_ids

    def execute(self, context: Context) -> JsonDocument:
        """
        Have the backups copied.

        Raises:
            AirflowException: not all were copied; AirflowFailException where no retry helps.
        """
        native = "(a template needs render_template_as_native_obj)"
        ids: object = self.source_backup_ids
        volume_ids: object = self.volume_ids or {}
        with for_task():
            if isinstance(ids, str) or not isinstance(ids, Sequence):
                raise invalid("source_backup_ids", f"a list of IDs {native}", shown(ids))
            if not isinstance(volume_ids, Mapping):
                raise invalid("volume_ids", f"a mapping of IDs {native}", shown(volume_ids))
        return self._copy([*dict.fromkeys(ids)], volume_ids, context, with_backups=False)

    def execute_complete(
        self, context: Context, event: JsonDocument | None = None
    ) -> JsonDocument:
        """Return the outcomes."""
        document = checked(event)
        return self._return(document, rows(document["Outcomes"]), context)


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
        policy: The document of a `ReplicationPolicy` instead, such as ``{"Name": "nightly",
            "Newest": 3}``; the connection's Region gets the copies.
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
        trigger = FsxSyncTrigger(sync=sync, **connection_to(self, self.region_name))
        return self._await(trigger, "execute_complete", context)

    def _sync(self) -> JsonDocument:
        """Return what is synced, checked."""
        from fsxcopy_sdk.airflow._syncing import Sync
        from fsxcopy_sdk.fleet import Fleet

        sync = Sync(
            fleet=None if self.config is None else Fleet.read_text(self.config),
            policies=[*self.policies],
            policy=self.policy,
            source_region=self.source_region,
            region_name=None if self.policy is None else self.hook.region(),
            prune=self.prune,
            prune_orphans=self.prune_orphans,
            prune_most=self.prune_most,
            strict=self.strict,
            max_wait=self.max_wait,
        )
        sync.to_fleet(self.config)
        return attrs.asdict(sync, recurse=False)

    def execute_complete(
        self, context: Context, event: JsonDocument | None = None
    ) -> JsonDocument:
        """Return what was done."""
        document = checked(event)
        return self._return(document, rows(document["Outcomes"]), context)
