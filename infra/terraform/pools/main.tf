# The node pools of infra/pools.yaml as the arguments of google_container_node_pool. No provider and no resource is in this
# module, so that `terraform console` evaluates it offline (tests/infra does).

terraform {
  required_version = ">= 1.9"
}

variable "file" {
  description = "path of infra/pools.yaml"
  type        = string

  validation {
    condition     = fileexists(var.file)
    error_message = "file: expected the path of infra/pools.yaml, found no file there."
  }
}

locals {
  document = yamldecode(file(var.file))

  primary = {
    for name, pool in local.document.pools : name => {
      machine_type = pool.machine_type
      spot         = pool.spot
      min_nodes    = pool.nodes.min
      max_nodes    = pool.nodes.max
      accelerator  = pool.accelerator
      labels       = pool.selector
      taints       = pool.taint == null ? [] : [pool.taint]
    }
  }

  # Same labels and taint as the spot pool, so that a pod fits both; it never keeps a node of its own. The autoscaler takes the
  # cheaper one, which is spot, and this one where Google has no spot capacity.
  fallback = {
    for name, pool in local.document.pools : "${name}-on-demand" => merge(local.primary[name], {
      spot      = false
      min_nodes = 0
    }) if pool.fallback
  }
}

output "node_pools" {
  description = "by name: machine_type, spot, min_nodes, max_nodes, accelerator ({name, count, shared_by} or null), labels, taints"
  value       = merge(local.primary, local.fallback)
}

output "stages" {
  description = "names of the stages, each of which is a workload identity"
  value       = sort(keys(local.document.stages))
}
