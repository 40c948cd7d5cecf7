#!/usr/bin/env bash
# infra/local/cluster.sh [CONTEXT]: a Kubernetes for trying ferflow out, with Kubeflow Pipelines and the overlay local.
# Without CONTEXT it is kind's cluster `ferflow`, made where there is none, and the images of this Docker engine are loaded
# into it; with CONTEXT one that kubectl knows already, whose nodes are left as they are. Run again, it adds what is missing.
set -euo pipefail
cd "$(dirname "$0")/../.."

KUBEFLOW=github.com/kubeflow/pipelines/manifests/kustomize
RELEASE=2.17.0 # that of kfp in pyproject.toml
context=${1:-kind-ferflow}

need() {
    command -v "$1" >/dev/null || {
        echo "$1 is not at hand: $2" >&2
        exit 1
    }
}

on() {
    kubectl --context "$context" "$@"
}

need kubectl https://kubernetes.io/docs/tasks/tools
if [ $# -eq 0 ]; then
    need docker https://docs.docker.com/engine/install
    need kind "go install sigs.k8s.io/kind@v0.33.0"
    kind get clusters | grep -qx ferflow || kind create cluster --config infra/local/kind.yaml
    mapfile -t images < <(docker image ls --filter 'reference=ferflow-*' --format '{{.Repository}}:{{.Tag}}')
    if [ ${#images[@]} -gt 0 ]; then
        kind load docker-image --name ferflow "${images[@]}"
    else
        echo "The Docker engine has no image of a stage, so none is loaded: make images" >&2
    fi
fi
on apply -k "$KUBEFLOW/cluster-scoped-resources?ref=$RELEASE"
on wait --for condition=established --timeout 60s crd/workflows.argoproj.io
on apply -k "$KUBEFLOW/env/platform-agnostic?ref=$RELEASE"
on apply -k infra/kubernetes/overlays/local
on -n kubeflow rollout status deployment/ml-pipeline --timeout 600s
echo "Kubeflow Pipelines: kubectl --context $context -n kubeflow port-forward svc/ml-pipeline-ui 8080:80"
