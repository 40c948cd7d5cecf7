"""`make infra-check`: Terraform, Kubernetes' manifests, images, workflows and scripts, without asking any network."""
