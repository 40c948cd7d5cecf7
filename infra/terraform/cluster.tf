resource "google_container_cluster" "this" {
  name                = local.name
  location            = var.region
  node_locations      = var.zones
  deletion_protection = var.deletion_protection

  network         = google_compute_network.this.id
  subnetwork      = google_compute_subnetwork.nodes.id
  networking_mode = "VPC_NATIVE"

  # All nodes are in pools of pools.tf.
  remove_default_node_pool = true
  initial_node_count       = 1

  # GKE makes the first pool before it is removed: with the least that a node needs, too.
  node_config {
    service_account = google_service_account.nodes.email
    oauth_scopes    = ["https://www.googleapis.com/auth/cloud-platform"]

    shielded_instance_config {
      enable_secure_boot          = true
      enable_integrity_monitoring = true
    }

    workload_metadata_config {
      mode = "GKE_METADATA"
    }
  }

  ip_allocation_policy {
    cluster_secondary_range_name  = "pods"
    services_secondary_range_name = "services"
  }

  private_cluster_config {
    enable_private_nodes    = true
    enable_private_endpoint = false
    master_ipv4_cidr_block  = "172.16.0.0/28"
  }

  master_authorized_networks_config {
    dynamic "cidr_blocks" {
      for_each = var.authorized_networks
      content {
        display_name = cidr_blocks.key
        cidr_block   = cidr_blocks.value
      }
    }
  }

  master_auth {
    client_certificate_config {
      issue_client_certificate = false
    }
  }

  # Dataplane V2: it enforces the network policies of infra/kubernetes.
  datapath_provider           = "ADVANCED_DATAPATH"
  enable_intranode_visibility = true
  enable_shielded_nodes       = true

  release_channel {
    channel = var.release_channel
  }

  workload_identity_config {
    workload_pool = "${var.project}.svc.id.goog"
  }

  # The project's policy admits every image until somebody says which signatures it shall ask for.
  binary_authorization {
    evaluation_mode = "PROJECT_SINGLETON_POLICY_ENFORCE"
  }

  # What a namespace, a label or a pod costs, on the bill: pods have the labels ferflow/graph, ferflow/component, ferflow/pool.
  cost_management_config {
    enabled = true
  }

  cluster_autoscaling {
    autoscaling_profile = "OPTIMIZE_UTILIZATION" # an idle GPU node goes after minutes
  }

  logging_config {
    enable_components = ["SYSTEM_COMPONENTS", "WORKLOADS"]
  }

  monitoring_config {
    enable_components = ["SYSTEM_COMPONENTS", "POD", "DEPLOYMENT", "HPA", "STORAGE", "DCGM"]

    managed_prometheus {
      enabled = true
    }
  }

  maintenance_policy {
    # Saturday and Sunday, UTC: a training outside of this window is not drained for an upgrade.
    recurring_window {
      start_time = "2025-01-04T00:00:00Z"
      end_time   = "2025-01-04T12:00:00Z"
      recurrence = "FREQ=WEEKLY;BYDAY=SA,SU"
    }
  }

  lifecycle {
    ignore_changes = [node_config] # the removed pool's: a change of it would make the cluster anew
  }

  depends_on = [google_project_iam_member.nodes]
}
