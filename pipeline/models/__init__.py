"""`ferflow models`: the versions of a model, which one serves, and whether both are what they are said to be."""
