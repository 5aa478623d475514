"""Draw every method of the package: `python -m tools.drawing docs/images/methods`."""

import sys
from pathlib import Path

from bmip.methods import combination_names, load_method, method_names
from bmip.system.files import write_text
from tools.drawing import file_name, picture

if len(sys.argv) != 2:
    sys.exit("usage: python -m tools.drawing FOLDER")
folder = Path(sys.argv[1])
folder.mkdir(parents=True, exist_ok=True)
for name in (*method_names(), *combination_names()):
    write_text(folder / file_name(name), picture(name, load_method(name).presets["default"].options))
