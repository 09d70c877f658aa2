class AWSPreparedRequest:
    url: str
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
    def __init__(
        self, url: str | None, status_code: int, headers: object, raw: object
    ) -> None: ...
