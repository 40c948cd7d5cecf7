"""The pod that Kubeflow Pipelines 2.17 makes of a task, from what a compiled graph says of it.

Written after the back end's own argocompiler (container.go, security_context.go), driver (k8s.go) and Argo's
workflowpod.go: it stands in for them, as no server of Kubeflow is at hand. What the tests hold to Kubernetes is what
the graph says; the rest is here so that the pod has all containers that a real one has.
"""

from typing import Any

from google.protobuf import json_format

from pipeline import ir

Object = dict[str, Any]

CONTAINER: Object = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "seccompProfile": {"type": "RuntimeDefault"},
}
"""what the back end gives every container: all that "restricted" asks for, but who it runs as"""

ARGO: Object = {
    **CONTAINER,
    "privileged": False,
    "readOnlyRootFilesystem": True,
    "runAsNonRoot": True,
    "runAsUser": 8737,
}


def pod(task: ir.Task, name: str, namespace: str, account: str) -> Object:
    """The pod of one attempt, before Kubernetes' admission."""
    said = json_format.MessageToDict(task.kubernetes)
    resources = task.container.resources
    limits = {"cpu": resources.resource_cpu_limit, "memory": resources.resource_memory_limit}
    if resources.accelerator.resource_type:
        limits[resources.accelerator.resource_type] = resources.accelerator.resource_count
    volumes = [
        {"name": entry["volumeName"], "emptyDir": {"medium": entry["medium"], "sizeLimit": entry["sizeLimit"]}}
        for entry in said.get("emptyDirMounts", [])
    ]
    mounts = [
        {"name": entry["volumeName"], "mountPath": entry["mountPath"]} for entry in said.get("emptyDirMounts", [])
    ]
    launcher = {"name": "kfp-launcher", "mountPath": "/kfp-launcher"}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": name,
            "namespace": namespace,
            "labels": {
                **said["podMetadata"]["labels"],
                "workflows.argoproj.io/workflow": "a-run",
                "pipelines.kubeflow.org/v2_component": "true",
            },
        },
        "spec": {
            "serviceAccountName": account,
            "restartPolicy": "Never",
            "activeDeadlineSeconds": int(said["activeDeadlineSeconds"]),
            "nodeSelector": said["nodeSelector"]["labels"],
            "tolerations": said.get("tolerations", []),
            "securityContext": {"seccompProfile": {"type": "RuntimeDefault"}},
            "initContainers": [
                {"name": "init", "image": "argoexec:v3", "securityContext": ARGO},
                {
                    "name": "kfp-launcher",
                    "image": "kfp-launcher:2.17.0",
                    "securityContext": {**CONTAINER, "runAsNonRoot": True},
                    "volumeMounts": [launcher],
                },
            ],
            "containers": [
                {"name": "wait", "image": "argoexec:v3", "securityContext": ARGO},
                {
                    "name": "main",
                    "image": task.container.image,
                    "command": list(task.container.command),
                    "resources": {
                        "requests": {
                            "cpu": resources.resource_cpu_request,
                            "memory": resources.resource_memory_request,
                        },
                        "limits": limits,
                    },
                    "securityContext": {**CONTAINER, **said.get("securityContext", {})},
                    "volumeMounts": [launcher, *mounts],
                },
            ],
            "volumes": [{"name": "kfp-launcher", "emptyDir": {}}, *volumes],
        },
    }
