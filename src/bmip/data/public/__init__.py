"""The public data sets in CoOp's folder layout: facts, readers, downloads."""
