"""The Beam job: where reviews are read, scored and written."""
