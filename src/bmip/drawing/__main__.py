"""Draw every method of the package: `python -m bmip.drawing docs/images/methods`."""

import sys
from pathlib import Path

from bmip.atomic import write_text
from bmip.drawing import file_name, picture
from bmip.methods import combination_names, load_method, method_names

if len(sys.argv) != 2:
    sys.exit("usage: python -m bmip.drawing FOLDER")
folder = Path(sys.argv[1])
folder.mkdir(parents=True, exist_ok=True)
for name in (*method_names(), *combination_names()):
    write_text(folder / file_name(name), picture(name, load_method(name).PRESETS["default"].options))
