"""Readers of your own data (folder, table, hub) and of the data sets that come with the package."""
