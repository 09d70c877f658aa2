class Config:
    region_name: str | None
    parameter_validation: bool
    user_agent: str | None
    user_agent_appid: str | None
    def __init__(self, *args: object, **kwargs: object) -> None: ...
    def merge(self, other_config: Config) -> Config: ...
