"""Domain library of the stages: data set, models, training, metrics, stage contract."""
