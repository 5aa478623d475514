"""The embedded default: drawn pictures, scenes, a small CLIP that learned them (weights), and how it did (pretrain)."""
