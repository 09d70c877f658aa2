"""TagResource and ListTagsForResource."""

import pytest

ABSENT = "arn:aws:fsx:us-west-2:123456789012:backup/backup-00000000"
OPERATIONS = [
    ("tag_resource", {"Tags": [{"Key": "a", "Value": "b"}]}),
    ("list_tags_for_resource", {}),
]


@pytest.fixture(name="arn")
def _arn(fsx) -> str:
    """Put a backup with one tag into us-west-2, return its ARN."""
    tags = [{"Key": "Name", "Value": "old"}]
    return fsx.backup("us-west-2", fsx.add_backup("us-west-2", Tags=tags))["ResourceARN"]


async def test_tags_are_merged(fsx, west, arn) -> None:
    """New tags are added, and replace those with the same key."""
    tags = [{"Key": "team", "Value": ""}, {"Key": "Name", "Value": "new"}]
    await west("tag_resource", ResourceARN=arn, Tags=tags)
    answer = await west("list_tags_for_resource", ResourceARN=arn)
    assert [{"Key": "Name", "Value": "new"}, {"Key": "team", "Value": ""}] == answer["Tags"]
    assert answer["Tags"] == fsx.backups("us-west-2")[0]["Tags"]


async def test_tagging_a_source_leaves_its_copy(fsx, connect, west, source) -> None:
    """A copy has the tags that its source had, not those it got since."""
    answer = await west(
        "copy_backup", SourceBackupId=source, SourceRegion="us-east-2", CopyTags=True
    )
    arn = fsx.backup("us-east-2", source)["ResourceARN"]
    await connect(fsx, "us-east-2")(
        "tag_resource", ResourceARN=arn, Tags=[{"Key": "Name", "Value": "new"}]
    )
    copy = fsx.backup("us-west-2", answer["Backup"]["BackupId"])

    assert [{"Key": "Name", "Value": "MyBackup"}] == copy["Tags"]


async def test_fifty_at_most(west, arn) -> None:
    """More than 50 tags in all are a BadRequest."""
    tags = [{"Key": f"k{number}", "Value": ""} for number in range(50)]
    assert "BadRequest" == await west.code("tag_resource", ResourceARN=arn, Tags=tags)


async def test_pages(west, arn) -> None:
    """MaxResults cuts the tags into pages."""
    tags = [{"Key": f"k{number}", "Value": ""} for number in range(3)]
    await west("tag_resource", ResourceARN=arn, Tags=tags)
    first = await west("list_tags_for_resource", ResourceARN=arn, MaxResults=3)
    second = await west("list_tags_for_resource", ResourceARN=arn, NextToken=first["NextToken"])
    assert [3, 1] == [len(first["Tags"]), len(second["Tags"])]
    assert "NextToken" not in second


async def test_no_tags(fsx, west) -> None:
    """A backup without tags has an empty list of them."""
    arn = fsx.backup("us-west-2", fsx.add_backup("us-west-2"))["ResourceARN"]
    assert [] == (await west("list_tags_for_resource", ResourceARN=arn))["Tags"]


@pytest.mark.parametrize(("operation", "parameters"), OPERATIONS)
async def test_unknown_backup(west, operation, parameters) -> None:
    """A backup that does not exist is ResourceNotFound, with its ARN."""
    error = await west.error(operation, ResourceARN=ABSENT, **parameters)
    assert "ResourceNotFound" == error["Error"]["Code"]
    assert ABSENT == error["ResourceARN"]


async def test_arn_of_another_region(fsx, connect, arn) -> None:
    """An ARN is known in its own Region only."""
    code = await connect(fsx, "eu-west-1").code("list_tags_for_resource", ResourceARN=arn)
    assert "ResourceNotFound" == code


async def test_arn_that_only_ends_alike(west, arn) -> None:
    """An ARN of something else with a backup's id is ResourceNotFound."""
    other = arn.replace(":backup/", ":file-system/")
    assert "ResourceNotFound" == await west.code("list_tags_for_resource", ResourceARN=other)


@pytest.mark.parametrize(("operation", "parameters"), OPERATIONS)
async def test_resource_of_another_service(fsx, connect, operation, parameters) -> None:
    """An ARN of another service is NotServiceResourceError, with the ARN."""
    arn = "arn:aws:s3:::bucket"
    # Unchecked: by the model this error's ARN would have to be one of FSx.
    client = connect(fsx, checked=False)
    error = await client.error(operation, ResourceARN=arn, **parameters)
    assert "NotServiceResourceError" == error["Error"]["Code"]
    assert arn == error["ResourceARN"]


async def test_no_arn(west) -> None:
    """A text that is not an ARN is a BadRequest."""
    assert "BadRequest" == await west.code("list_tags_for_resource", ResourceARN="backup-00000000")
