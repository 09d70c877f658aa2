"""
Delete what a plan calls superfluous, and still is.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping

from fsxcopy_sdk._schedule import NOTHING
from fsxcopy_sdk.client import FsxCopyClient
from fsxcopy_sdk.enums import BackupLifecycle
from fsxcopy_sdk.errors import BackupNotFound, FsxCopyError, ResponseDecodingError
from fsxcopy_sdk.models import Backup
from fsxcopy_sdk.replication._outcomes import Pruned, PruneFailed, PruneOutcome, PruneSkipped
from fsxcopy_sdk.replication._plan import PlannedPrune, ReplicationPlan
from fsxcopy_sdk.replication._retention import superfluous
from fsxcopy_sdk.replication._situation import situation_of

# A copy that is or was just copied on cannot be deleted "for a short time" (the service
# names no figure). What is not deleted now is deleted by the next run: no need to wait
# for hours.
_PATIENCE = 900.0
_FIRST_DELAY = 5.0
_MAX_DELAY = 60.0

_log = logging.getLogger("fsxcopy_sdk.replication")


class Pruning:
    """
    The deletions of one plan, in rounds: each looks first, and deletes what it may.
    """

    def __init__(
        self,
        plan: ReplicationPlan,
        destination: FsxCopyClient,
        random: Callable[[], float],
        tell: Callable[[PruneOutcome], None],
    ) -> None:
        self._plan = plan
        self._destination = destination
        self._random = random
        self._tell = tell
        self._left = {one.copy.backup_id: one for one in plan.to_prune}
        self._errors: dict[str, FsxCopyError] = {}

    async def run(self) -> None:
        """
        Delete everything that may be deleted, with patience for what passes.
        """
        clock = self._destination.clock
        give_up = clock.now() + _PATIENCE
        delay = _FIRST_DELAY
        while True:
            await self._round()
            left = give_up - clock.now()
            if not self._left or left < NOTHING:
                break
            await clock.sleep(min(left, delay * (0.5 + 0.5 * self._random())))
            delay = min(_MAX_DELAY, 2 * delay)
        for backup_id, prune in list(self._left.items()):
            self._end(PruneFailed(prune=prune, error=self._errors[backup_id]))

    async def _round(self) -> None:
        if not self._left:
            return
        try:
            held = {one.backup_id: one async for one in self._destination.iter_backups()}
        except FsxCopyError as error:
            for prune in list(self._left.values()):
                self._failed(prune, error)
            return
        superfluous_ids = self._superfluous(held)
        for backup_id, prune in list(self._left.items()):
            if backup_id not in held or held[backup_id].lifecycle == BackupLifecycle.DELETED:
                self._end(Pruned(prune=prune))
            elif backup_id not in superfluous_ids:
                self._end(PruneSkipped(prune=prune))
            else:
                await self._delete(prune)

    def _superfluous(self, held: Mapping[str, Backup]) -> set[str]:
        """
        Return the copies that the plan's policy does not keep, as things stand now.
        """
        plan = self._plan
        situation = situation_of(
            source_region=plan.source_region,
            destination_region=plan.destination_region,
            now=plan.made_at,
            source_backups=(),
            destination_backups=held.values(),
        )
        found = superfluous(
            plan.policy, situation.copies, selected=plan.selected_backup_ids, now=plan.made_at
        )
        return {one.copy.backup_id for one in found}

    async def _delete(self, prune: PlannedPrune) -> None:
        try:
            await self._destination.delete_backup(prune.copy.backup_id)
        except BackupNotFound:
            self._end(Pruned(prune=prune))
        except FsxCopyError as error:
            self._failed(prune, error)
        else:
            self._end(Pruned(prune=prune))

    def _failed(self, prune: PlannedPrune, error: FsxCopyError) -> None:
        """
        Keep *prune* for another round, where *error* may pass.
        """
        self._errors[prune.copy.backup_id] = error
        # An answer that cannot be read may be that of a deletion: the next look tells.
        if not (error.is_transient or isinstance(error, ResponseDecodingError)):
            self._end(PruneFailed(prune=prune, error=error))

    def _end(self, outcome: PruneOutcome) -> None:
        backup_id = outcome.prune.copy.backup_id
        del self._left[backup_id]
        what = type(outcome).__name__
        extra = {"backup_id": backup_id}
        _log.info("%s: %s, %s", backup_id, what, outcome.prune.reason, extra=extra)
        self._tell(outcome)
