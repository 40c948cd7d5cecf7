"""Who asks Kubeflow Pipelines: an existing token, a pod's own, a Google identity, or nobody.

The first of these that is there, and no other:

1. the token in KFP_EXISTING_TOKEN, the variable of KFP's own command line;
2. in a pod, the service account's token that Kubernetes keeps fresh in a file (its path: KF_PIPELINES_SA_TOKEN_PATH);
3. with `credentials: google` in infra/cluster.yaml, the Application Default Credentials;
4. none, for an address behind `kubectl port-forward`.
"""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal, NamedTuple
from urllib.parse import urlsplit

import google.auth
from google.auth.exceptions import GoogleAuthError, TransportError
from google.auth.transport.requests import Request
from kfp.client import KF_PIPELINES_SA_TOKEN_ENV, KF_PIPELINES_SA_TOKEN_PATH
from kfp.client.set_volume_credentials import ServiceAccountTokenVolumeCredentials
from kfp.client.token_credentials_base import TokenCredentialsBase

from components.fer.errors import InputError, TemporaryError

TOKEN = "KFP_EXISTING_TOKEN"  # noqa: S105

SCOPES = ["https://www.googleapis.com/auth/cloud-platform"]

LOCAL = ("localhost", "127.0.0.1", "::1")


class Identity(NamedTuple):
    """Who asks, and what to do where that is not accepted."""

    described: str
    mend: str
    refresh: Callable[[Any], None] | None = None
    """puts the token into the client's configuration, before each request; none where there is no token"""


class GoogleIdentity(TokenCredentialsBase):
    """The access token of the Application Default Credentials, made new when it has expired."""

    def __init__(self) -> None:
        try:
            self._credentials, _ = google.auth.default(scopes=SCOPES)
        except GoogleAuthError as error:
            raise InputError(
                f"Google identity: expected Application Default Credentials, found none. {error}", LOGIN
            ) from error

    def refresh_api_key_hook(self, config: Any) -> None:
        """Put a token that is valid now into `config`."""
        try:
            if not self._credentials.valid:
                self._credentials.refresh(Request())  # type: ignore[no-untyped-call]
        except TransportError as error:
            raise TemporaryError(f"Google identity: no new token. {error}", "Run the same command again.") from error
        except GoogleAuthError as error:
            raise InputError(f"Google identity: no new token. {error}", LOGIN) from error
        config.api_key["authorization"] = self._credentials.token


LOGIN = "gcloud auth application-default login"


def identity(host: str, outside: Literal["google", "none"]) -> Identity:
    """Who asks the server at `host`. Raises `InputError` where a token would cross the network in the clear."""
    token = os.environ.get(TOKEN, "")
    file = Path(os.environ.get(KF_PIPELINES_SA_TOKEN_ENV) or KF_PIPELINES_SA_TOKEN_PATH)
    if not token and file.is_file():
        refresh = ServiceAccountTokenVolumeCredentials(str(file)).refresh_api_key_hook
        return Identity(f"the service account's token {file}", "Give the pod's service account a role there.", refresh)
    if not token and outside == "none":
        return Identity("no credentials", f"Set credentials in infra/cluster.yaml, or {TOKEN} to a token.")
    if urlsplit(host).scheme != "https" and urlsplit(host).hostname not in LOCAL:
        raise InputError(
            f"cluster settings: host: expected https://, where a token is to be sent. Received: {host}",
            "Correct host in infra/cluster.yaml.",
        )
    if token:
        return Identity(f"the token in {TOKEN}", f"Set {TOKEN} to a new token.", _constant(token))
    return Identity("a Google identity", LOGIN, GoogleIdentity().refresh_api_key_hook)


def _constant(token: str) -> Callable[[Any], None]:
    def refresh(config: Any) -> None:
        config.api_key["authorization"] = token

    return refresh
