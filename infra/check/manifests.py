"""infra/kubernetes: every overlay as kustomize renders it, and each of its objects held to Kubernetes' own schema."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import kubernetes_validate
import yaml

from infra.check.program import find, run

OVERLAYS = Path("infra/kubernetes/overlays")

KUBERNETES = "1.37"
"""the newest version whose schemas kubernetes-validate has"""

WITHOUT_SCHEMA = {
    "InferenceService": "serving.kserve.io/v1beta1",
    "PodMonitor": "monitoring.coreos.com/v1",
    "PrometheusRule": "monitoring.coreos.com/v1",
    "PodMonitoring": "monitoring.googleapis.com/v1",
    "Rules": "monitoring.googleapis.com/v1",
}
"""kinds that are not Kubernetes' own: only their version is looked at, and the pods of the first"""

OF_PREDICTOR = ("minReplicas", "maxReplicas", "scaleMetric", "scaleTarget", "labels", "annotations")
"""what KServe's predictor has beside the fields of a pod"""

Object = dict[str, Any]


class RenderError(Exception):
    """kustomize refuses an overlay."""


def overlays(root: Path) -> list[str]:
    """Names of the overlays."""
    return sorted(path.parent.name for path in (root / OVERLAYS).glob("*/kustomization.yaml"))


def rendered(root: Path, overlay: str) -> list[Object]:
    """The objects of an overlay, and a pod for each InferenceService. Raises `RenderError`, `MissingError`."""
    kubectl = find("kubectl", "https://kubernetes.io/docs/tasks/tools")
    code, out, err = run([kubectl, "kustomize", str(OVERLAYS / overlay)], root)
    if code:
        raise RenderError(f"{OVERLAYS / overlay}: expected what kustomize takes. {err.strip()}")
    found = [entry for entry in yaml.safe_load_all(out) if entry]
    return [*found, *(_pod(entry) for entry in found if entry["kind"] == "InferenceService")]


def rendering(root: Path) -> list[str]:
    """Overlays that kustomize refuses."""
    problems = []
    for overlay in overlays(root):
        try:
            rendered(root, overlay)
        except RenderError as error:
            problems.append(str(error))
    return problems


def valid(root: Path) -> list[str]:
    """What Kubernetes' schemas, strictly read, say against the objects of all overlays."""
    return [
        f"{overlay}: {problem}"
        for overlay in overlays(root)
        for entry in rendered(root, overlay)
        for problem in _problems(entry)
    ]


def secrets(root: Path) -> list[str]:
    """Secrets that stand in a manifest: they belong to the cluster, or are not needed at all."""
    return [
        f"{overlay}: Secret {entry['metadata']['name']}: expected none in a manifest."
        for overlay in overlays(root)
        for entry in rendered(root, overlay)
        if entry["kind"] == "Secret"
    ]


def _problems(entry: Object) -> Iterator[str]:
    kind, where = entry["kind"], f"{entry['kind']} {entry['metadata']['name']}"
    if kind in WITHOUT_SCHEMA:
        if entry["apiVersion"] != WITHOUT_SCHEMA[kind]:
            yield f"{where}: expected {WITHOUT_SCHEMA[kind]}, found {entry['apiVersion']}."
        return
    try:
        kubernetes_validate.validate(entry, KUBERNETES, strict=True)
    except kubernetes_validate.ValidationError as error:
        yield f"{where}: {'.'.join(str(part) for part in error.path)}: {error.message}"
    except kubernetes_validate.SchemaNotFoundError:
        yield f"{where}: expected a kind that Kubernetes {KUBERNETES} has, found {entry['apiVersion']}."


def _pod(service: Object) -> Object:
    """The pod that KServe makes of an InferenceService's predictor, as far as it is written there."""
    predictor = service["spec"]["predictor"]
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": f"{service['metadata']['name']}-predictor",
            "namespace": service["metadata"]["namespace"],
            "labels": predictor["labels"],
        },
        "spec": {key: value for key, value in predictor.items() if key not in OF_PREDICTOR},
    }
