"""The public data sets in the layout that CoOp's users have on disk."""
