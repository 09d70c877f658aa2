"""Parse bodies with botocore, for the peers that use it."""

from __future__ import annotations

from functools import cache
from typing import Any

from botocore.loaders import Loader
from botocore.model import OperationModel, ServiceModel  # type: ignore[attr-defined]  # no stub
from botocore.parsers import ResponseParser, create_parser

HEADERS = {"x-amzn-requestid": "3e7ec0d4-1f3c-4c1e-9d0a-3f5b5d6c7e8f"}


@cache
def _parser() -> tuple[ResponseParser, OperationModel]:
    definition = Loader().load_service_model("fsx", "service-2")
    model: Any = ServiceModel(definition, "fsx")
    return create_parser("json"), model.operation_model("DescribeBackups")


def parse(body: bytes) -> Any:
    """Parse an answer of DescribeBackups as botocore's own clients do."""
    parser, operation = _parser()
    answer = {"status_code": 200, "headers": HEADERS, "body": body}
    return parser.parse(answer, operation.output_shape)
