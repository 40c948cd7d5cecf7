# One pool for each of infra/pools.yaml, and one on demand beside each that is spot with a fallback.

resource "google_container_node_pool" "this" {
  for_each = local.pools

  name           = each.key
  cluster        = google_container_cluster.this.id
  node_locations = each.value.accelerator == null ? var.zones : var.gpu_zones

  autoscaling {
    total_min_node_count = each.value.min_nodes
    total_max_node_count = each.value.max_nodes
    # Of several zones the one that has the machine, and for spot the one least likely to take it back.
    location_policy = "ANY"
  }

  node_config {
    machine_type    = each.value.machine_type
    spot            = each.value.spot
    image_type      = "COS_CONTAINERD"
    disk_type       = "pd-balanced"
    disk_size_gb    = 100 # the CUDA images are 8 GB each before they are unpacked
    service_account = google_service_account.nodes.email
    oauth_scopes    = ["https://www.googleapis.com/auth/cloud-platform"] # the service account's roles are the limit
    labels          = each.value.labels

    dynamic "taint" {
      for_each = each.value.taints
      content {
        key    = taint.value.key
        value  = taint.value.value
        effect = local.effects[taint.value.effect]
      }
    }

    dynamic "guest_accelerator" {
      for_each = each.value.accelerator == null ? [] : [each.value.accelerator]
      content {
        type  = guest_accelerator.value.name
        count = guest_accelerator.value.count

        gpu_driver_installation_config {
          gpu_driver_version = "DEFAULT" # GKE installs and upgrades it with the node
        }

        dynamic "gpu_sharing_config" {
          for_each = guest_accelerator.value.shared_by > 1 ? [guest_accelerator.value.shared_by] : []
          content {
            gpu_sharing_strategy       = "TIME_SHARING"
            max_shared_clients_per_gpu = gpu_sharing_config.value
          }
        }
      }
    }

    gcfs_config {
      enabled = true # image streaming: a node of zero starts a stage before the whole image is there
    }

    shielded_instance_config {
      enable_secure_boot          = true
      enable_integrity_monitoring = true
    }

    workload_metadata_config {
      mode = "GKE_METADATA" # a pod sees its own identity, not the node's
    }
  }

  management {
    auto_repair  = true
    auto_upgrade = true
  }

  upgrade_settings {
    # A GPU pool may have no quota for one node more; then an old one goes first.
    max_surge       = each.value.accelerator == null ? 1 : 0
    max_unavailable = each.value.accelerator == null ? 0 : 1
  }

}

locals {
  # Kubernetes' words for what a taint does, as GKE's API spells them.
  effects = {
    NoSchedule       = "NO_SCHEDULE"
    PreferNoSchedule = "PREFER_NO_SCHEDULE"
    NoExecute        = "NO_EXECUTE"
  }
}
