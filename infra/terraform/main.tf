# From an empty project to a cluster with the node pools of infra/pools.yaml: infra/README.md.

locals {
  name  = "ferflow-${var.environment}"
  pools = module.pools.node_pools

  namespace = "ferflow" # that of infra/kubernetes

  # By name, not by the resources' attributes: the settings are known before anything exists.
  buckets = { for use in ["data", "artifacts", "models", "checkpoints"] : use => "${var.project}-${use}" }
}

module "pools" {
  source = "./pools"
  file   = "${path.module}/../pools.yaml"
}

module "settings" {
  source    = "./settings"
  host      = var.kubeflow_host
  namespace = local.namespace
  buckets   = local.buckets
  model     = var.model_name
  registry  = "http://mlflow.${local.namespace}:5000"
}

resource "google_project_service" "needed" {
  for_each = toset([
    "artifactregistry", "billingbudgets", "compute", "container", "containerscanning", "iam", "iamcredentials", "logging",
    "monitoring", "storage",
  ])
  service            = "${each.key}.googleapis.com"
  disable_on_destroy = false
}

data "google_project" "this" {
  depends_on = [google_project_service.needed]
}
