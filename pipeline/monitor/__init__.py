"""`ferflow monitor`: whether what is served is still like what the model was judged on, without any label."""
