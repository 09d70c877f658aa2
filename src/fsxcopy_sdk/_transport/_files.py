"""
botocore's files, which describe services and endpoints, read once and not at one stretch.

They have more than a megabyte, and botocore reads them for every session anew.
"""

from __future__ import annotations

import copy
import gzip
import json
from functools import cache
from os.path import isfile
from pathlib import Path
from typing import Any

from botocore.exceptions import DataNotFoundError, UnknownServiceError
from botocore.loaders import JSONFileLoader, Loader, create_loader, instance_cache

# All that making a client of FSx reads; the last is for the retries of mode "legacy".
_GENERAL = ("endpoints", "partitions", "sdk-default-configuration", "_retry")
_OF_THE_SERVICE = ("service-2", "endpoint-rule-set-1")


def read_all(loader: Loader) -> None:
    """
    Let *loader* have read what a client of FSx needs; call it from a thread of its own.

    botocore's own loader, of a session of the user's, is not changed: a copy of it, which
    keeps what it reads in the same place, reads as one of ours does.
    """
    if type(getattr(loader, "file_loader", None)) is JSONFileLoader:
        loader = copy.copy(loader)
        loader.file_loader = _Files()
    for name in _GENERAL:
        loader.load_data_with_path(name)
    for name in _OF_THE_SERVICE:
        loader.load_service_model("fsx", name, api_version=None)


@cache
def shared_loader(data_path: str | None) -> Loader:
    """
    Return the one loader for a search path, which keeps what the files say.

    botocore fills in defaults there, as it does for all clients of one session; neither
    the environment nor credentials have any part in it.
    """
    return _Loader(
        extra_search_paths=create_loader(data_path).search_paths,
        file_loader=_Files(),
        include_default_search_paths=False,  # the other loader has added them
    )


class _Loader(Loader):
    """
    botocore's loader, which looks for one service where botocore looks through all.
    """

    @instance_cache
    def list_available_services(self, type_name: str) -> list[str]:  # noqa: ARG002 - botocore's
        """
        Return the names of services, and what else stands in the folders of data, in order.

        botocore asks for it before it loads a service, and to answer looks into each of
        some four hundred folders for a file of *type_name*.
        """
        folders = [
            folder for folder in map(Path, filter(None, self.search_paths)) if folder.is_dir()
        ]
        return sorted({found.name for folder in folders for found in folder.iterdir()})

    def load_service_model(
        self, service_name: str, type_name: str, api_version: str | None = None
    ) -> dict[str, Any]:
        """
        Return what the file of *type_name* says of a service.

        Raises:
            UnknownServiceError: there is no such file, as botocore has it.
        """
        try:
            return super().load_service_model(service_name, type_name, api_version)
        except DataNotFoundError as error:
            known = ", ".join(self.list_available_services(type_name))
            raise UnknownServiceError(
                service_name=service_name, known_service_names=known
            ) from error


class _Files(JSONFileLoader):
    """
    botocore's way to its files, which lets other threads run while one is parsed.
    """

    def load_file(self, file_path: str) -> object:
        """
        Return what a file says whose path is given without ending; None without one.
        """
        for ending, opened in ((".json", open), (".json.gz", gzip.open)):
            # Unlike Path.is_file of Python 3.11, it passes over what may not be looked at.
            if isfile(file_path + ending):  # noqa: PTH113 - see above
                with opened(file_path + ending, "rb") as file:
                    return json.loads(file.read(), object_hook=_as_it_is)
        return None


def _as_it_is(part: dict[str, object]) -> dict[str, object]:
    # A call of Python, at which another thread gets its turn: the largest file takes any
    # parser in C 6 to 16 ms, in which the event loop would stand still.
    return part
