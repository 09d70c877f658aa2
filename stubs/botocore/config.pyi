from typing import TypedDict

# As a client has it, whose retries are spelled in one manner only.
class _Retries(TypedDict, total=False):
    mode: str
    total_max_attempts: int

class Config:
    region_name: str | None
    parameter_validation: bool
    user_agent: str | None
    user_agent_appid: str | None
    connect_timeout: float | None
    read_timeout: float | None
    retries: _Retries | None
    client_cert: str | tuple[str, str] | None
    def __init__(self, *args: object, **kwargs: object) -> None: ...
    def merge(self, other_config: Config) -> Config: ...
