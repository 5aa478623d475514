"""What everything else stands on: files, devices, messages. Nothing here knows of prompts."""
