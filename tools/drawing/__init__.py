"""Pictures of methods: where prompts enter, what they are made of, what is minimised. They are drawn from the code."""

from tools.drawing.picture import file_name, picture

__all__ = ["file_name", "picture"]
