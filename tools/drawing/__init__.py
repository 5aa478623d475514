"""Pictures of methods, made by looking at them: where prompts enter, what they are made of, what is minimised."""

from tools.drawing.picture import file_name, picture

__all__ = ["file_name", "picture"]
