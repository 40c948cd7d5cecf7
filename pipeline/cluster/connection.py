"""The connection to Kubeflow Pipelines on the team's cluster.

It is kfp_server_api, the client that KFP generates from its API, without kfp.Client around it: that one takes
addresses, OAuth clients and cookies from the environment and from ~/.config/kfp, writes there, and prints.
"""

import json
import os
import random
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any, TypeVar

import kfp
import kfp_server_api as kfp_api
import urllib3
from urllib3.exceptions import HTTPError, MaxRetryError, SSLError

from components.fer.errors import FerflowError, InputError, TemporaryError
from pipeline.cluster import credentials
from pipeline.cluster.credentials import Identity
from pipeline.cluster.settings import Settings

PAUSES: tuple[float, ...] = (1, 2, 4, 8)
"""seconds between attempts, each shortened or lengthened by up to a half, so that clients do not come back together"""

TIMEOUT = 60
"""seconds for a request"""

PAGE = 100
"""entries of a list that the server gives at once"""

Answer = TypeVar("Answer")


@dataclass(frozen=True)
class Cluster:
    """Kubeflow Pipelines on a cluster, one client for each of its services."""

    settings: Settings
    identity: Identity
    client: kfp_api.ApiClient

    def ask(
        self, what: str, request: Callable[[], Answer], there: Callable[[], Answer | None] = lambda: None
    ) -> Answer:
        """The answer to `request`, repeated while its fault is one that may pass.

        A request that makes something may have done so though its answer got lost, or another one was faster (409):
        `there` looks for what is to be made, before the request is repeated. Raises `InputError`, `TemporaryError`.
        """
        pauses = iter(PAUSES)
        while True:
            try:
                return request()
            except (kfp_api.ApiException, HTTPError, TemporaryError) as error:
                fault = error if isinstance(error, TemporaryError) else self._fault(what, error)
                temporary = isinstance(fault, TemporaryError)
                found = there() if temporary or getattr(error, "status", None) == 409 else None
                if found is not None:
                    return found
                pause = next(pauses, None)
                if not temporary or pause is None:
                    raise fault from error
            time.sleep(pause * random.uniform(0.5, 1.5))  # noqa: S311

    def pages(self, what: str, request: Callable[..., Any], entries: str, **options: Any) -> Iterator[Any]:
        """All entries of a list, page by page; `entries` is their name in the answer."""
        asked = {**options, "page_token": "", "page_size": PAGE}
        while True:
            page = self.ask(what, partial(request, **asked))
            yield from getattr(page, entries) or []
            asked["page_token"] = page.next_page_token
            if not page.next_page_token:
                return

    @cached_property
    def health(self) -> dict[str, Any]:
        """What the server says of itself. Raises `InputError` where the answer is not Kubeflow's."""
        answer = self.ask(
            "healthz",
            lambda: self.client.call_api(
                "/apis/v2beta1/healthz",
                "GET",
                response_type="object",
                auth_settings=["Bearer"],
                _return_http_data_only=True,
            ),
        )
        if not isinstance(answer, dict):
            raise InputError(
                f"Kubeflow Pipelines at {self.settings.host}: expected its API, received a page of another kind: "
                f"{' '.join(str(answer).split())[:60]}",
                "A page for logging in? Correct host or credentials in infra/cluster.yaml.",
            )
        return answer

    @property
    def version(self) -> str:
        """The server's version; the pages' own server says it by another name than the API's."""
        return str(self.health.get("tag_name") or self.health.get("apiServerTagName") or "unknown")

    @property
    def namespace(self) -> str | None:
        """The namespace for requests: a server for one user alone refuses to be told any."""
        shared = self.health.get("multi_user", self.health.get("apiServerMultiUser", False))
        return self.settings.namespace if shared else None

    @cached_property
    def pipelines(self) -> kfp_api.PipelineServiceApi:
        """Pipelines and their versions."""
        return kfp_api.PipelineServiceApi(self.client)

    @cached_property
    def uploads(self) -> kfp_api.PipelineUploadServiceApi:
        """Files of pipelines."""
        return kfp_api.PipelineUploadServiceApi(self.client)

    @cached_property
    def experiments(self) -> kfp_api.ExperimentServiceApi:
        """Groups of runs."""
        return kfp_api.ExperimentServiceApi(self.client)

    @cached_property
    def runs(self) -> kfp_api.RunServiceApi:
        """Runs."""
        return kfp_api.RunServiceApi(self.client)

    @cached_property
    def schedules(self) -> kfp_api.RecurringRunServiceApi:
        """Recurring runs."""
        return kfp_api.RecurringRunServiceApi(self.client)

    def _fault(self, what: str, error: kfp_api.ApiException | HTTPError) -> FerflowError:
        where = f"Kubeflow Pipelines at {self.settings.host}: {what}"
        if isinstance(error, HTTPError):
            return _unanswered(where, error)
        told = _told(error)
        match error.status:
            case 401:
                problem = f"{where}: expected other credentials than {self.identity.described}: {told}"
                return InputError(problem, self.identity.mend)
            case 403:
                problem = f"{where}: not allowed in namespace {self.settings.namespace} with {self.identity.described}"
                return InputError(f"{problem}: {told}", "Ask for a role there, or correct infra/cluster.yaml.")
            case 404:
                return InputError(f"{where}: not found: {told}", "Look at the id, and at host in infra/cluster.yaml.")
            case 408 | 425 | 429 | 500 | 502 | 503 | 504:
                return TemporaryError(f"{where}: {told}", "Run the same command again.")
        return InputError(f"{where}: refused: {told}")


def _told(error: kfp_api.ApiException) -> str:
    """The status and the server's own words: its API, its upload and proxies before it have three forms of them."""
    try:
        document = json.loads(error.body)
        words = document.get("message") or document.get("error_message") or error.reason
    except (TypeError, ValueError, AttributeError):
        words = error.reason
    return f"{error.status} {' '.join(str(words).split())[:300]}"


def _unanswered(where: str, error: HTTPError) -> FerflowError:
    reason = error.reason if isinstance(error, MaxRetryError) and error.reason else error
    words = str(reason).partition("): ")[2] or str(reason)  # without the connection object's own description
    if isinstance(reason, SSLError):
        mend = "Correct host in infra/cluster.yaml; or set SSL_CERT_FILE to the certificates that your team trusts."
        return InputError(f"{where}: its certificate is not trusted: {words}", mend)
    mend = "See to the network and to host in infra/cluster.yaml, then run the same command again."
    return TemporaryError(f"{where}: no answer: {words}", mend)


class _Client(kfp_api.ApiClient):
    """Gives up a request after `TIMEOUT` seconds: the generated client waits for ever."""

    def call_api(self, *arguments: Any, **options: Any) -> Any:
        return super().call_api(*arguments, **{**options, "_request_timeout": TIMEOUT})


def connect(settings: Settings) -> Cluster:
    """The cluster of the settings; nothing is sent yet. Raises `InputError` where there are no credentials."""
    asker = credentials.identity(settings.host, settings.credentials)
    configuration = kfp_api.Configuration(host=settings.host)
    configuration.ssl_ca_cert = os.environ.get("SSL_CERT_FILE")  # else those that certifi has
    configuration.retries = urllib3.Retry(total=3, connect=0, read=0, status=0, other=0)  # `ask` does that, with pauses
    if asker.refresh:
        configuration.api_key["authorization"] = ""  # there is a key, says this; the hook fills it in
        configuration.api_key_prefix["authorization"] = "Bearer"
        configuration.refresh_api_key_hook = asker.refresh
    return Cluster(settings, asker, _Client(configuration))


def named(name: str) -> str:
    """The filter, as the API takes it, for entries of this display name."""
    return json.dumps({"predicates": [{"operation": "EQUALS", "key": "display_name", "string_value": name}]})


def check_version(cluster: Cluster) -> str:
    """A warning where the server does not say its version, else nothing.

    Raises `InputError` where the SDK is newer than the server: it writes fields that an older server refuses.
    """
    sdk, server = _release(kfp.__version__), _release(cluster.version)
    if server is None or sdk is None:
        return (
            f"Kubeflow Pipelines does not say its version ({cluster.version}); it should be {kfp.__version__} or newer."
        )
    if sdk > server:
        raise InputError(
            f"Kubeflow Pipelines at {cluster.settings.host}: expected version {kfp.__version__} or newer, as the SDK "
            f"that compiled the graph. Received: {cluster.version}",
            f"Upgrade it; or pin kfp and kfp-kubernetes in pyproject.toml to {cluster.version}, then: "
            "make requirements generate",
        )
    return ""


def _release(version: str) -> tuple[int, ...] | None:
    found = re.match(r"v?(\d+)\.(\d+)\.(\d+)", version)
    return tuple(int(part) for part in found.groups()) if found else None
