"""What stands on the page: a module for each section, or for a few that are made of the same files."""
