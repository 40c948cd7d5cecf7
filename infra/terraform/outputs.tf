output "cluster_yaml" {
  description = "content of infra/cluster.yaml: terraform output -raw cluster_yaml > ../cluster.yaml"
  value       = module.settings.cluster_yaml
}

output "places_env" {
  description = "where the served model is: terraform output -raw places_env > ../kubernetes/overlays/gke/places.env"
  value       = module.settings.places_env
}

output "image_registry" {
  description = "what `ferflow images --push` takes"
  value       = "${var.region}-docker.pkg.dev/${var.project}/${google_artifact_registry_repository.images.repository_id}"
}

output "credentials_command" {
  description = "what brings kubectl to the cluster"
  value       = "gcloud container clusters get-credentials ${google_container_cluster.this.name} --region ${var.region} --project ${var.project}"
}

output "node_pools" {
  description = "pools with their least and most nodes, and whether they are spot"
  value       = { for name, pool in local.pools : name => { min = pool.min_nodes, max = pool.max_nodes, spot = pool.spot } }
}
