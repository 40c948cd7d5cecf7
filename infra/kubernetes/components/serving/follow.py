"""Let KServe serve the champion of the model store: python follow.py STORE NAME INFERENCE_SERVICE.

Runs in a pod, in the image of serve. Writes the champion's version into the annotation that the pods are made with,
where it is another one: KServe then brings up pods of that version, and takes the old ones away when the new ones are
ready. A version that cannot be served never gets ready, and the old one goes on.

Exit code 0: served, or on its way; 1: no champion, or refused by Kubernetes; 75: store or Kubernetes cannot be reached.
"""

import json
import ssl
import sys
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from components.fer.errors import FerflowError, InputError, TemporaryError
from components.model_store.store import open_store

POD = Path("/var/run/secrets/kubernetes.io/serviceaccount")
"""the pod's namespace and token, and the certificate of Kubernetes' API"""
API = "https://kubernetes.default.svc"
VERSION = "ferflow/version"
SECONDS = 20


def follow(store: str, name: str, service: str, api: str, pod: Path) -> str:
    """Make `service` serve the champion of model `name` in `store`; gives what to tell. Raises `FerflowError`."""
    champion = open_store(store).champion(name)
    if champion is None:
        raise InputError(f"model {name} in {store}: expected a champion, found none.", "ferflow models promote VERSION")
    namespace = (pod / "namespace").read_text()
    path = f"{api}/apis/serving.kserve.io/v1beta1/namespaces/{namespace}/inferenceservices/{service}"
    served = _ask(path, pod)["spec"]["predictor"].get("annotations", {}).get(VERSION)
    if served == champion.version:
        return f"{name}: {served} is served"
    _ask(path, pod, {"spec": {"predictor": {"annotations": {VERSION: champion.version}}}})
    return f"{name}: {served or 'whatever was champion'} -> {champion.version}"


def _ask(url: str, pod: Path, patch: Any = None) -> Any:
    """Read a resource, or merge `patch` into it."""
    headers = {"Authorization": f"Bearer {(pod / 'token').read_text()}", "Content-Type": "application/merge-patch+json"}
    body = None if patch is None else json.dumps(patch).encode()
    request = urllib.request.Request(url, body, headers, method="GET" if patch is None else "PATCH")  # noqa: S310
    certificate = pod / "ca.crt"
    context = ssl.create_default_context(cafile=str(certificate)) if certificate.exists() else None
    try:
        with urllib.request.urlopen(request, timeout=SECONDS, context=context) as answer:  # noqa: S310
            return json.load(answer)
    except urllib.error.HTTPError as error:
        fault = TemporaryError if error.code in (409, 429) or error.code >= 500 else InputError
        raise fault(f"{url}: expected an answer, received {error.code} {error.reason}.") from error
    except OSError as error:
        raise TemporaryError(f"{url}: expected an answer. {error}") from error


if __name__ == "__main__":
    try:
        store, name, service = sys.argv[1:]
        sys.stdout.write(follow(store, name, service, API, POD) + "\n")
    except FerflowError as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(error.exit_code)
