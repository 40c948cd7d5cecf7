"""The team's cluster: submission of a job to Kubeflow Pipelines, its run watched, its schedule kept."""
