from collections.abc import Callable

class BaseEventHooks:
    def register(
        self,
        event_name: str,
        handler: Callable[..., object],
        unique_id: str | None = None,
        unique_id_uses_count: bool = False,
    ) -> None: ...
    def register_first(
        self,
        event_name: str,
        handler: Callable[..., object],
        unique_id: str | None = None,
        unique_id_uses_count: bool = False,
    ) -> None: ...
    def register_last(
        self,
        event_name: str,
        handler: Callable[..., object],
        unique_id: str | None = None,
        unique_id_uses_count: bool = False,
    ) -> None: ...
