"""`ferflow report`: a run on one page that opens offline, made from what the run left."""
