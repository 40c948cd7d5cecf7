# What infra/cluster.yaml and infra/kubernetes shall say of a cluster, made of names alone (no provider: evaluated offline, as infra/terraform/pools).

terraform {
  required_version = ">= 1.9"
}

variable "host" {
  description = "address of Kubeflow Pipelines, or \"\" while it has none"
  type        = string
}

variable "namespace" {
  description = "Kubernetes namespace of the runs"
  type        = string
}

variable "buckets" {
  description = "names of the buckets"
  type        = object({ data = string, artifacts = string, models = string, checkpoints = string })
}

variable "model" {
  description = "name of the model that is served, registry.name of params.yaml"
  type        = string
}

variable "registry" {
  description = "MLflow's address inside of the cluster"
  type        = string
}

locals {
  store = "gs://${var.buckets.models}/models"

  places_env = "MODEL_STORE=${local.store}\nMODEL_NAME=${var.model}\n"

  cluster_yaml = yamlencode({
    host            = var.host
    namespace       = var.namespace
    pipeline_root   = "gs://${var.buckets.artifacts}/runs"
    service_account = "ferflow-run"
    credentials     = "google"
    data            = "gs://${var.buckets.data}/dvc"
    parameters = {
      "registry.store"       = local.store
      "registry.registry"    = var.registry
      "training.checkpoints" = "gs://${var.buckets.checkpoints}/checkpoints"
    }
  })
}

output "cluster_yaml" {
  description = "content of infra/cluster.yaml: every key that ferflow asks for"
  value       = local.cluster_yaml
}

output "places_env" {
  description = "content of infra/kubernetes/overlays/gke/places.env"
  value       = local.places_env
}
