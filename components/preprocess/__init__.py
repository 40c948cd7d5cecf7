"""Write the data set as a pickle and as TFRecords, with the wished images dropped from Training."""
