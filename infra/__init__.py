"""The cluster as code, and what checks it."""
