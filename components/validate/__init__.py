"""Check the data set and audit it for copies, near copies, conflicting labels and constant images."""
