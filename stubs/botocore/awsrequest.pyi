from collections.abc import Mapping

class AWSRequest:
    url: str
    headers: Mapping[str, object]
    # Where botocore notes what it does with the request.
    context: dict[str, object]
    def __init__(
        self,
        method: str | None = None,
        url: str | None = None,
        headers: Mapping[str, str] | None = None,
        data: object = None,
        params: object = None,
        auth_path: str | None = None,
        stream_output: bool = False,
    ) -> None: ...

class AWSPreparedRequest:
    url: str
    stream_output: bool
    def __init__(
        self,
        method: str,
        url: str,
        headers: object,
        body: object,
        stream_output: bool,
        context: object = None,
    ) -> None: ...

class AWSResponse:
    url: str | None
    status_code: int
    headers: Mapping[str, str]
    raw: object
    def __init__(
        self, url: str | None, status_code: int, headers: object, raw: object
    ) -> None: ...
