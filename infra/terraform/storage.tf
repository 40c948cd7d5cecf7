# data          the DVC remote: objects by their md5, never changed
# artifacts     what the stages hand to each other; goes after artifact_days
# checkpoints   where a retried training goes on
# models        the model store (components/model_store): versions never change, champion.json is overwritten by compare-and-set,
#               so a retention policy of the bucket, which forbids overwriting, cannot be set; soft delete and kept old
#               generations are the retention here

resource "google_storage_bucket" "this" {
  for_each = local.buckets

  name                        = each.value
  location                    = var.region
  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"
  force_destroy               = !var.deletion_protection

  versioning {
    enabled = true
  }

  soft_delete_policy {
    retention_duration_seconds = 86400 * (each.key == "models" ? var.model_retention_days : 7)
  }

  # An overwritten or deleted generation: kept as long as the models' retention, else for a week.
  lifecycle_rule {
    action {
      type = "Delete"
    }
    condition {
      days_since_noncurrent_time = each.key == "models" ? var.model_retention_days : 7
      with_state                 = "ARCHIVED"
    }
  }

  dynamic "lifecycle_rule" {
    for_each = contains(["artifacts", "checkpoints"], each.key) ? [var.artifact_days] : []
    content {
      action {
        type = "Delete"
      }
      condition {
        age        = lifecycle_rule.value
        with_state = "LIVE"
      }
    }
  }

  # What an upload that died has left.
  lifecycle_rule {
    action {
      type = "AbortIncompleteMultipartUpload"
    }
    condition {
      age = 7
    }
  }

  depends_on = [google_project_service.needed]
}

# Who read or wrote data and models, and when.
resource "google_project_iam_audit_config" "storage" {
  project = var.project
  service = "storage.googleapis.com"

  audit_log_config {
    log_type = "DATA_READ"
  }

  audit_log_config {
    log_type = "DATA_WRITE"
  }
}

resource "google_artifact_registry_repository" "images" {
  repository_id = "ferflow"
  location      = var.region
  format        = "DOCKER"
  description   = "images of the stages and of the server, by digest"

  # No policy deletes images: schedules and the lineage of versions name them by digest, whatever a tag has moved to.

  depends_on = [google_project_service.needed]
}
