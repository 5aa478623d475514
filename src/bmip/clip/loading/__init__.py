"""Finding and loading a CLIP: names, files and repositories; the layouts of OpenAI, open_clip and transformers."""
