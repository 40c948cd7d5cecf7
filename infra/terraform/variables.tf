variable "project" {
  description = "Google Cloud project that holds everything; a project for each environment"
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{4,28}[a-z0-9]$", var.project))
    error_message = "project: expected 6 to 30 small letters, digits and hyphens, beginning with a letter."
  }
}

variable "environment" {
  description = "dev, staging or production: part of the names, and a label on the bill"
  type        = string

  validation {
    condition     = contains(["dev", "staging", "production"], var.environment)
    error_message = "environment: expected dev, staging or production."
  }
}

variable "region" {
  description = "region of cluster, buckets and images, e.g. us-central1"
  type        = string

  validation {
    condition     = can(regex("^[a-z]+-[a-z]+[0-9]$", var.region))
    error_message = "region: expected a region such as us-central1, not a zone."
  }
}

variable "zones" {
  description = "zones of the CPU nodes; the control plane is in all zones of the region"
  type        = list(string)

  validation {
    condition     = length(var.zones) > 0 && alltrue([for zone in var.zones : startswith(zone, "${var.region}-")])
    error_message = "zones: expected one or more zones of the region, e.g. us-central1-a."
  }
}

variable "gpu_zones" {
  description = "zones of the GPU nodes: those that have the accelerators of infra/pools.yaml (gcloud compute accelerator-types list)"
  type        = list(string)

  validation {
    condition     = length(var.gpu_zones) > 0 && alltrue([for zone in var.gpu_zones : startswith(zone, "${var.region}-")])
    error_message = "gpu_zones: expected one or more zones of the region, e.g. us-central1-a."
  }
}

variable "authorized_networks" {
  description = "who may reach the control plane: a name for each CIDR block"
  type        = map(string)

  validation {
    condition     = alltrue([for block in values(var.authorized_networks) : can(cidrhost(block, 0)) && block != "0.0.0.0/0"])
    error_message = "authorized_networks: expected CIDR blocks such as 203.0.113.0/24, and not the whole internet."
  }
}

variable "release_channel" {
  description = "GKE's release channel: REGULAR or STABLE"
  type        = string
  default     = "REGULAR"

  validation {
    condition     = contains(["REGULAR", "STABLE"], var.release_channel)
    error_message = "release_channel: expected REGULAR or STABLE."
  }
}

variable "model_name" {
  description = "name of the model that is served, registry.name of params.yaml"
  type        = string
  default     = "fer-hybrid"

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,62}$", var.model_name))
    error_message = "model_name: expected small letters, digits and hyphens, beginning with a letter."
  }
}

variable "kubeflow_host" {
  description = "address of Kubeflow Pipelines for infra/cluster.yaml; \"\" while it has none"
  type        = string
  default     = ""

  validation {
    condition     = var.kubeflow_host == "" || can(regex("^https?://[^ ]+$", var.kubeflow_host))
    error_message = "kubeflow_host: expected https://HOST, or an empty string."
  }
}

variable "stage_identities" {
  description = "true: each stage has its own rights (needs the policy of infra/kubernetes/components/stage-identities, Kubernetes 1.36); false: a run has those of all its stages"
  type        = bool
  default     = true
}

variable "deletion_protection" {
  description = "whether Terraform refuses to delete the cluster, and buckets that hold something"
  type        = bool
  default     = true
}

variable "model_retention_days" {
  description = "days for which a deleted object of the model store can be brought back, 7 to 90; overwritten ones are kept for as long"
  type        = number

  validation {
    condition     = var.model_retention_days >= 7 && var.model_retention_days <= 90
    error_message = "model_retention_days: expected 7 to 90, which is what Cloud Storage's soft delete takes."
  }
}

variable "artifact_days" {
  description = "days after which the artifacts of runs are deleted; models and data never are"
  type        = number

  validation {
    condition     = var.artifact_days >= 7
    error_message = "artifact_days: expected 7 or more: a run must not lose what it has just made."
  }
}

variable "billing_account" {
  description = "billing account of the budget, XXXXXX-XXXXXX-XXXXXX; \"\" makes no budget"
  type        = string
  default     = ""

  validation {
    condition     = var.billing_account == "" || can(regex("^[0-9A-F]{6}-[0-9A-F]{6}-[0-9A-F]{6}$", var.billing_account))
    error_message = "billing_account: expected XXXXXX-XXXXXX-XXXXXX, or an empty string."
  }
}

variable "monthly_budget" {
  description = "what a month may cost, in whole units of the billing account's currency; reaching it sends mail and stops nothing"
  type        = number

  validation {
    condition     = var.monthly_budget > 0 && floor(var.monthly_budget) == var.monthly_budget
    error_message = "monthly_budget: expected a whole number above 0."
  }
}

variable "budget_emails" {
  description = "who gets the budget's mail, beside the billing account's administrators"
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for address in var.budget_emails : can(regex("^[^@ ]+@[^@ ]+$", address))]) && length(var.budget_emails) <= 5
    error_message = "budget_emails: expected five addresses at most, which is what a budget takes."
  }
}
