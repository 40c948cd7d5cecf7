"""The model store: whole, immutable versions and one champion per model name, in a folder or in a bucket."""
