EXCEPTION_MAP: dict[str, list[type[Exception]]]
