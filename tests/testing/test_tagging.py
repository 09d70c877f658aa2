"""TagResource, UntagResource and ListTagsForResource."""

import pytest

ABSENT = "arn:aws:fsx:us-west-2:123456789012:backup/backup-00000000"
OPERATIONS = [
    ("tag_resource", {"Tags": [{"Key": "a", "Value": "b"}]}),
    ("untag_resource", {"TagKeys": ["a"]}),
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


async def test_untag(fsx, west, arn) -> None:
    """UntagResource removes the tags of some keys; those that it does not have are ignored."""
    tags = [{"Key": key, "Value": "x"} for key in "abc"]
    await west("tag_resource", ResourceARN=arn, Tags=tags)
    await west("untag_resource", ResourceARN=arn, TagKeys=["b", "Name", "unknown"])
    answer = await west("list_tags_for_resource", ResourceARN=arn)

    assert [tags[0], tags[2]] == answer["Tags"]
    assert answer["Tags"] == fsx.backups("us-west-2")[0]["Tags"]


async def test_untag_all(fsx, west, arn) -> None:
    """A backup may lose all of its tags."""
    await west("untag_resource", ResourceARN=arn, TagKeys=["Name"])
    assert [] == (await west("list_tags_for_resource", ResourceARN=arn))["Tags"]
    assert [] == (await west("describe_backups"))["Backups"][0]["Tags"]


RESERVED = [{"Key": key, "Value": "x"} for key in ("aws:backup:id", "AWS:a", "Aws:b")]


@pytest.mark.parametrize("key", ["aws:backup:id", "AWS:a", "aws:"])
async def test_reserved_tags(fsx, west, key) -> None:
    """Callers can neither set AWS's own tags nor remove them."""
    arn = fsx.backup("us-west-2", fsx.add_backup("us-west-2", Tags=RESERVED))["ResourceARN"]
    tags = [{"Key": key, "Value": "y"}]
    codes = [
        await west.code("tag_resource", ResourceARN=arn, Tags=tags),
        await west.code("untag_resource", ResourceARN=arn, TagKeys=[key]),
    ]
    assert ["BadRequest"] * 2 == codes
    assert RESERVED == (await west("list_tags_for_resource", ResourceARN=arn))["Tags"]


async def test_reserved_tags_do_not_count(fsx, west) -> None:
    """Fifty tags of one's own fit beside those of AWS; all of them are listed, in pages."""
    arn = fsx.backup("us-west-2", fsx.add_backup("us-west-2", Tags=RESERVED))["ResourceARN"]
    tags = [{"Key": f"k{number}", "Value": ""} for number in range(50)]
    await west("tag_resource", ResourceARN=arn, Tags=tags)
    first = await west("list_tags_for_resource", ResourceARN=arn)
    second = await west("list_tags_for_resource", ResourceARN=arn, NextToken=first["NextToken"])

    assert RESERVED + tags == first["Tags"] + second["Tags"]
    assert "BadRequest" == await west.code(
        "tag_resource", ResourceARN=arn, Tags=[{"Key": "one more", "Value": ""}]
    )


async def test_tags_of_a_file_system(fsx, west) -> None:
    """File systems have tags too, which their backups do not share."""
    file_system = fsx.add_file_system("us-west-2")
    await west("create_backup", FileSystemId=file_system)
    answer = await west("describe_file_systems", FileSystemIds=[file_system])
    arn, tags = answer["FileSystems"][0]["ResourceARN"], [{"Key": "team", "Value": "x"}]
    await west("tag_resource", ResourceARN=arn, Tags=tags)

    answer = await west("describe_file_systems", FileSystemIds=[file_system])
    assert tags == answer["FileSystems"][0]["Tags"]
    assert tags == (await west("list_tags_for_resource", ResourceARN=arn))["Tags"]
    backup = (await west("describe_backups"))["Backups"][0]
    assert "Tags" not in backup
    assert "Tags" not in backup["FileSystem"]
    await west("untag_resource", ResourceARN=arn, TagKeys=["team"])
    assert [] == (await west("list_tags_for_resource", ResourceARN=arn))["Tags"]
