"""Studies: a plan in one file, the trials that it asks for, and the folder in which they are kept."""
