"""The link from a task to its copy in the console."""

from __future__ import annotations

from airflow.providers.amazon.aws.links.base_aws import BASE_AWS_CONSOLE_LINK, BaseAwsLink


class FsxBackupLink(BaseAwsLink):
    """The page of a backup in the console of Amazon FSx."""

    name = "FSx Backup"
    key = "fsx_backup"
    format_str = BASE_AWS_CONSOLE_LINK + (
        "/fsx/home?region={region_name}#backup-details/{backup_id}"
    )
