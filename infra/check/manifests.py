"""infra/kubernetes: every overlay as kustomize renders it, and each of its objects held to Kubernetes' own schema."""

import tempfile
from pathlib import Path
from typing import Any

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
    program = find("kubernetes-validate", "make infra-check installs it")
    found = {f"{overlay}.yaml": rendered(root, overlay) for overlay in overlays(root)}
    with tempfile.TemporaryDirectory() as folder:
        for name, objects in found.items():
            known = [entry for entry in objects if entry["kind"] not in WITHOUT_SCHEMA]
            (Path(folder) / name).write_text(yaml.safe_dump_all(known))
        _, out, err = run([program, "--strict", "--quiet", "-k", KUBERNETES, *found], Path(folder))
    versions = [f"{name}: {problem}" for name, objects in found.items() for problem in _versions(objects)]
    return [*versions, *(out + err).splitlines()]


def secrets(root: Path) -> list[str]:
    """Secrets that stand in a manifest: they belong to the cluster, or are not needed at all."""
    return [
        f"{overlay}: Secret {entry['metadata']['name']}: expected none in a manifest."
        for overlay in overlays(root)
        for entry in rendered(root, overlay)
        if entry["kind"] == "Secret"
    ]


def _versions(objects: list[Object]) -> list[str]:
    """Objects without a schema that are not of the version that is expected."""
    return [
        f"{entry['kind']} {entry['metadata']['name']}: expected {expected}, found {entry['apiVersion']}."
        for entry in objects
        if (expected := WITHOUT_SCHEMA.get(entry["kind"])) not in (None, entry["apiVersion"])
    ]


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
