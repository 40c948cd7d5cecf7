# Who may do what with which bucket. No provider is in this module, so that `terraform console` evaluates it offline.

terraform {
  required_version = ">= 1.9"
}

variable "stages" {
  description = "names of the stages"
  type        = list(string)
}

variable "stage_identities" {
  description = "whether each stage has its own rights; else a run has those of all its stages"
  type        = bool
}

locals {
  reader = "roles/storage.objectViewer"
  writer = "roles/storage.objectUser" # objects alone: no rights on the bucket, its policy or its retention

  # What a stage needs beside the artifacts, which Kubeflow's launcher reads and writes in every pod. A stage that is not here
  # needs nothing else.
  needed = {
    resolve        = { data = local.reader, models = local.reader }
    validate       = { data = local.reader }
    train-backbone = { checkpoints = local.writer }
    train-hybrid   = { checkpoints = local.writer }
    push-model     = { models = local.writer }
    tfx-check      = { models = local.reader }
  }
  of_stages = { for stage in var.stages : stage => lookup(local.needed, stage, {}) if var.stage_identities }

  # A run's own account starts the pods; without identities for the stages it does everything that they do.
  of_run = var.stage_identities ? {} : { data = local.reader, checkpoints = local.writer, models = local.writer }

  of_accounts = merge(
    { for stage, rights in local.of_stages : stage => merge(rights, { artifacts = local.writer }) },
    { run = merge(local.of_run, { artifacts = local.writer }) },
    { serve = { models = local.reader }, follow = { models = local.reader } },
  )
}

output "grants" {
  description = "a list of {account, bucket, role}: the service account without its prefix ferflow-, the use of the bucket"
  value = flatten([
    for account, rights in local.of_accounts : [
      for bucket, role in rights : { account = account, bucket = bucket, role = role }
    ]
  ])
}
