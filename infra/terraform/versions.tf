terraform {
  required_version = ">= 1.9"

  required_providers {
    google = {
      source  = "hashicorp/google"
      version = "~> 6.30"
    }
  }

  # terraform init -backend-config=bucket=BUCKET: the bucket is made once, by hand, for it cannot hold its own beginning.
  backend "gcs" {
    prefix = "ferflow"
  }
}

provider "google" {
  project = var.project
  region  = var.region

  default_labels = {
    product     = "ferflow"
    environment = var.environment
  }
}
