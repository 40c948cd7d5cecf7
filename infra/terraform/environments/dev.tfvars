# Put your own project in here; billing account and addresses go into a file that git does not have, or on the command line.
project             = "example-ferflow-dev"
environment         = "dev"
region              = "us-central1"
zones               = ["us-central1-a", "us-central1-b", "us-central1-c"]
gpu_zones           = ["us-central1-a", "us-central1-c"]
authorized_networks = { office = "203.0.113.0/24" }
release_channel     = "REGULAR"
deletion_protection = false

model_retention_days = 7
artifact_days        = 14
monthly_budget       = 500
