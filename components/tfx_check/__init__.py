"""Let TFX validate the prepared data, evaluate the stored model by slices, and push it where it is blessed."""
