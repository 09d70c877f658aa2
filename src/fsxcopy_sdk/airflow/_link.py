"""The link from a task to its copy in the console."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow.providers.amazon.aws.links.base_aws import BASE_AWS_CONSOLE_LINK, BaseAwsLink

if TYPE_CHECKING:
    from airflow.sdk import BaseOperator
    from airflow.sdk.types import TaskInstanceKey


class FsxBackupLink(BaseAwsLink):
    """The page of a backup in the console of Amazon FSx."""

    name = "FSx Backup"
    key = "fsx_backup"
    format_str = (
        f"{BASE_AWS_CONSOLE_LINK}/fsx/home?region={{region_name}}#backup-details/{{backup_id}}"
    )

    def get_link(self, operator: BaseOperator, *, ti_key: TaskInstanceKey) -> str:
        """Return the link, or nothing while the task has no copy."""
        # Airflow asks each time that a task pauses, and logs it as an error if there is none.
        if not getattr(operator, "has_copy", True):
            return ""
        link: str = super().get_link(operator, ti_key=ti_key)
        return link
