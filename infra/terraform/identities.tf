# Pods have no key and no Google service account: each Kubernetes service account of infra/kubernetes is a principal itself
# (Workload Identity Federation for GKE), and has the rights of ./rights on single buckets.

locals {
  principals = "principal://iam.googleapis.com/projects/${data.google_project.this.number}/locations/global/workloadIdentityPools/${google_container_cluster.this.workload_identity_config[0].workload_pool}/subject/ns/${local.namespace}/sa"
}

module "rights" {
  source           = "./rights"
  stages           = module.pools.stages
  stage_identities = var.stage_identities
}

resource "google_storage_bucket_iam_member" "pods" {
  for_each = { for grant in module.rights.grants : "${grant.account} ${grant.bucket}" => grant }

  bucket = google_storage_bucket.this[each.value.bucket].name
  role   = each.value.role
  member = "${local.principals}/ferflow-${each.value.account}"
}

# The nodes: what the kubelet needs, and the images.
resource "google_service_account" "nodes" {
  account_id   = "${local.name}-nodes"
  display_name = "nodes of ${local.name}"
  depends_on   = [google_project_service.needed]
}

resource "google_project_iam_member" "nodes" {
  project = var.project
  role    = "roles/container.defaultNodeServiceAccount"
  member  = google_service_account.nodes.member
}

resource "google_artifact_registry_repository_iam_member" "nodes" {
  location   = google_artifact_registry_repository.images.location
  repository = google_artifact_registry_repository.images.name
  role       = "roles/artifactregistry.reader"
  member     = google_service_account.nodes.member
}
