"""Start what a paused schedule of Kubeflow Pipelines would start: python start_run.py HOST NAMESPACE SCHEDULE RUN.

Runs in a pod, in the image of resolve. `ferflow schedule apply` and `ferflow schedule pause` made SCHEDULE, which says
what is run, with which values and as whom. RUN names the run, and the time it was due: a run of this name is not
started again, so that the pod may be tried again, and none is started beside one that has not ended.

Exit code 0: started, or nothing to start; 1: no such schedule, or an active one; 75: Kubeflow cannot be reached.
"""

import json
import sys
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from components.fer.errors import FerflowError, InputError, TemporaryError

TOKEN = Path("/var/run/secrets/kubeflow/pipelines/token")
SECONDS = 60
ENDED = ("SUCCEEDED", "SKIPPED", "FAILED", "CANCELED")
LOOKED_AT = 50
"""newest runs of the schedule's experiment among which one that has not ended is looked for"""


def start(host: str, namespace: str, schedule: str, run: str, token: str) -> str:
    """Start the run, and give what to tell. Raises `FerflowError`."""
    api = f"{host}/apis/v2beta1"

    def listed(kind: str, key: str, **query: Any) -> list[Any]:
        answer = _ask(f"{api}/{kind}?{urlencode({'namespace': namespace, **query})}", token)
        found: list[Any] = answer.get(key) or []
        return found

    found = listed("recurringruns", "recurringRuns", filter=_named(schedule))
    if len(found) != 1:
        raise InputError(f"schedule {schedule}: expected one, found {len(found)}.", "ferflow schedule apply")
    if found[0]["status"] == "ENABLED":
        raise InputError(
            f"schedule {schedule}: expected a paused one: Kubeflow runs it itself.", "ferflow schedule pause"
        )
    if listed("runs", "runs", filter=_named(run)):
        return f"{run}: started already"
    newest = {"sort_by": "created_at desc", "page_size": LOOKED_AT, "experiment_id": found[0]["experiment_id"]}
    busy = [entry["display_name"] for entry in listed("runs", "runs", **newest) if entry.get("state") not in ENDED]
    if busy:
        return f"{run}: not started: {busy[0]} has not ended"
    same = ("experiment_id", "pipeline_version_reference", "runtime_config", "service_account")
    body = {"display_name": run, **{key: found[0][key] for key in same if found[0].get(key)}}
    return f"{run}: started, {_ask(f'{api}/runs', token, body)['run_id']}"


def _named(name: str) -> str:
    return json.dumps({"predicates": [{"operation": "EQUALS", "key": "display_name", "string_value": name}]})


def _ask(url: str, token: str, body: Any = None) -> Any:
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    request = urllib.request.Request(url, None if body is None else json.dumps(body).encode(), headers)  # noqa: S310
    try:
        with urllib.request.urlopen(request, timeout=SECONDS) as answer:  # noqa: S310
            return json.load(answer)
    except urllib.error.HTTPError as error:
        fault = TemporaryError if error.code == 429 or error.code >= 500 else InputError
        told = error.read().decode(errors="replace")[:500]
        raise fault(f"{url}: expected an answer, received {error.code}: {told}") from error
    except OSError as error:
        raise TemporaryError(f"{url}: expected an answer. {error}") from error


if __name__ == "__main__":
    try:
        host, namespace, schedule, run = sys.argv[1:]
        sys.stdout.write(start(host, namespace, schedule, run, TOKEN.read_text()) + "\n")
    except FerflowError as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(error.exit_code)
