"""What to run where a login is missing or has expired."""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping

from fsxcopy_sdk._transport import profiles_of_machine

# Names of botocore's exceptions, which not every version of it has.
_SSO = {
    "NoAuthTokenError",
    "SSOTokenLoadError",
    "TokenRetrievalError",
    "UnauthorizedSSOTokenError",
}
_CONSOLE = {"LoginAuthorizationCodeError", "LoginRefreshRequired", "LoginTokenLoadError"}


def login_command(error: BaseException | None, profile: str | None) -> str | None:
    """Return the command of the AWS CLI that mends *error*; None if no login does."""
    while error is not None:
        name = type(error).__name__
        if name in _SSO:
            return _command("aws sso login", profile, {"sso_session", "sso_start_url"})
        if name in _CONSOLE:
            return _command("aws login", profile, {"login_session"})
        error = error.__cause__
    return None


def _command(login: str, profile: str | None, keys: set[str]) -> str:
    profile = profile or os.environ.get("AWS_DEFAULT_PROFILE") or os.environ.get("AWS_PROFILE")
    owner = _owner(profile or "default", keys)
    return login if owner == "default" else f"{login} --profile {shlex.quote(owner)}"


def _owner(profile: str, keys: set[str]) -> str:
    """Return the profile that the login is for: one that assumes a role names another one."""
    profiles: Mapping[str, Mapping[str, object]] = profiles_of_machine()
    seen: list[str] = []
    name = profile
    while name not in seen:
        members = profiles.get(name, {})
        if keys & members.keys():
            return name
        seen.append(name)
        name = str(members.get("source_profile", name))
    return profile
