"""Data sets: loading, splits, few-shot sampling, transforms, batches. Images stay uint8 until normalised."""
