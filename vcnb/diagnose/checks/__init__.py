"""One check in each file; a new file here is a new check."""
