"""
Regions and partitions, against botocore's own list.
"""

import re

import boto3
import pytest

from fsxcopy_sdk.testing._documents import AccountRegion, partition_of


def regions() -> list[tuple[str, str]]:
    """
    Return every Region that botocore lists, with its partition.
    """
    session = boto3.session.Session()
    return [
        (region, partition)
        for partition in session.get_available_partitions()
        for region in session.get_available_regions("ec2", partition)
    ]


@pytest.mark.parametrize(("region", "partition"), regions())
def test_knows_every_region(region, partition) -> None:
    """
    Every Region that botocore lists is in the partition that it lists.
    """
    assert partition == partition_of(region)


@pytest.mark.parametrize(
    "region", ["", "aws-global", "us-east", "us-east-", "US-EAST-1", "us--1", "nowhere", "a-b-1"]
)
def test_knows_what_is_no_region(region) -> None:
    """
    What cannot be the name of a Region is in no partition.
    """
    assert partition_of(region) is None


@pytest.mark.parametrize("region", ["us-east-2", "cn-north-1", "us-gov-west-1"])
def test_arns_are_the_models(model, region) -> None:
    """
    ARNs are like the model's ResourceARN.
    """
    pattern = model.shape_for("ResourceARN").metadata["pattern"]

    assert re.match(pattern, AccountRegion("123456789012", region).arn("backup/backup-00000000"))
