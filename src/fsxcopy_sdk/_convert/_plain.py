"""
From models to plain data.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import cache
from typing import TypeVar

import attrs
import cattrs
from cattrs.gen import make_dict_unstructure_fn

from fsxcopy_sdk._convert._leaves import time_to_wire
from fsxcopy_sdk._convert._names import member_overrides
from fsxcopy_sdk.enums import OpenEnum

_Model = TypeVar("_Model", bound=attrs.AttrsInstance)


@cache
def plain_converter() -> cattrs.Converter:
    """
    Make the one converter that writes; hooks for a class are generated when it is first met.
    """
    converter = cattrs.Converter()
    converter.register_unstructure_hook_factory(attrs.has, _class_hook)
    converter.register_unstructure_hook(OpenEnum, str.__str__)
    converter.register_unstructure_hook(datetime, time_to_wire)
    return converter


def _class_hook(
    cls: type[_Model], converter: cattrs.Converter
) -> Callable[[_Model], dict[str, object]]:
    return make_dict_unstructure_fn(
        cls, converter, _cattrs_omit_if_default=True, **member_overrides(cls)
    )
