"""The registries that people look at, MLflow and Kubeflow Model Registry: mirrors of the model store, which decides."""
