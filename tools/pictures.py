"""Builds the pictures of the embedded default from the emoji of nine families of artists: `python -m tools.pictures`.

It needs `npm`, which fetches the packages, and `pip install resvg_py==0.5.0`, which renders them. It writes a sheet of
pictures for each family, index.json and NOTICE.md into src/bmip/embedded/pictures. The same versions give the same
bytes.
"""

from __future__ import annotations

import base64
import hashlib
import io
import json
import re
import subprocess
import tarfile
import tempfile
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image

from bmip.embedded.pictures import COLUMNS, FOLDER, SIDE
from bmip.system.files import write_bytes, write_text


@dataclass(frozen=True)
class Package:
    """An npm package of a known content."""

    name: str
    version: str
    sha512: str
    """The hash of its archive, in base64 as npm writes it."""

    def files(self) -> dict[str, bytes]:
        """The files by their paths in the package. Raises ValueError where the archive has another hash."""
        with tempfile.TemporaryDirectory() as folder:
            command = ["npm", "pack", "--silent", "--pack-destination", folder, f"{self.name}@{self.version}"]
            told = subprocess.run(command, check=True, capture_output=True, text=True).stdout
            content = Path(folder, told.split()[-1]).read_bytes()
        found = base64.b64encode(hashlib.sha512(content).digest()).decode()
        if found != self.sha512:
            raise ValueError(f"{self.name} {self.version} has sha512 {found}, not {self.sha512}: do not use it")
        with tarfile.open(fileobj=io.BytesIO(content)) as archive:
            members = {member.name.removeprefix("package/"): archive.extractfile(member) for member in archive}
            return {name: member.read() for name, member in members.items() if member is not None}


@dataclass(frozen=True)
class Source:
    """A family of pictures, and where it comes from."""

    name: str
    """What the project calls it."""

    style: str
    package: Package


SOURCES = (
    Source(
        "noto",
        "shaded",
        Package(
            "@iconify-json/noto",
            "1.2.9",
            "DQiuXENbun41ch+XPSV55H9FaWKpHTyz46YIKtSaKYD4fIDDzL1tR6H4np/T38jfrTAeI3rcKF0mqHYeZVAuaw==",
        ),
    ),
    Source(
        "noto-old",
        "shaded, other drawings than noto",
        Package(
            "@iconify-json/noto-v1",
            "1.2.5",
            "/DsVMius69Q0fRS53z7QK1TROSuar606jiIx+laXtdsYGMXpf6LtHBx6CGfoo3UHHb/XpBsw+1L1x3eyPqMuVA==",
        ),
    ),
    Source(
        "twemoji",
        "flat",
        Package(
            "@iconify-json/twemoji",
            "1.2.5",
            "uKpuIEV0v6K5BW3Mjdyl+XKFVAbbcPxAgifKvEMtZoUZB5+YiY5zaMm2uNNCxyXzAWU9yNLlj41WU6/mvgALsw==",
        ),
    ),
    Source(
        "emojione",
        "flat",
        Package(
            "@iconify-json/emojione",
            "1.2.3",
            "T9+T3HIbJNLKKsmxYKlaYhvnHYkz/HNYTV7SHCXVZPfeUi4FqskY70YeN8yYAZT8cCv7w5vJxS4Q1m8zb9CMMg==",
        ),
    ),
    Source(
        "emojione-black",
        "the drawings of emojione in black",
        Package(
            "@iconify-json/emojione-monotone",
            "1.2.1",
            "cZSNcPsuiAD6HCzCh/2dYKGh3pNI0jJlxBxQWfC33cQsPtqYZqulGBvlkThXYNvDl8VxgVHT9u+izyX/yeEIkA==",
        ),
    ),
    Source(
        "fluent-flat",
        "flat",
        Package(
            "@iconify-json/fluent-emoji-flat",
            "1.2.6",
            "RY47RgPb47fYUiyrA64sIOL0+UU02s29sXpNBbIQRBUlPlfNFTKUmZDERGuxDs/7yNGWqQYvuaSYM1M4fRXlUw==",
        ),
    ),
    Source(
        "fluent",
        "shaded",
        Package(
            "@iconify-json/fluent-emoji",
            "1.2.7",
            "D8G6bKAyIsyxP1rzZtIWr/gg/fO4Rg1+DyCWlfqKK4h8W+4Em/Y0P6QYgJUQTlUcagzJvSyg+9OBv4hz4Hc/QA==",
        ),
    ),
    Source(
        "fluent-black",
        "the drawings of fluent in black",
        Package(
            "@iconify-json/fluent-emoji-high-contrast",
            "1.2.6",
            "esqhZPpkrF7sNX3NsLoh8KW64okEr/bzko7WNnFP+qTJGAqDPDYjp0925yxuivXy3HtVQB8xhIKu3+Nq1byX5w==",
        ),
    ),
    Source(
        "openmoji",
        "outlined, flat colours",
        Package(
            "@iconify-json/openmoji",
            "1.2.29",
            "vXdhkqcXVSO6suy+m9LbcUM3OdVyuNOtpV8/als/WqfkQIRxevL5Geb/g+6GH/Qwnq1OqksEmaDGTCmZ5nFKJQ==",
        ),
    ),
)

WORDS = Package(
    "emojibase-data",
    "17.0.0",
    "Yvgb5AWoHViHV/gq1qr5ZAarcBip+B27/ZLRsUJkbgAEaLlZ/fof9g882LTpmEpyhBNEC0m2SEmItljHsTygjA==",
)
"""The names, keywords and groups."""

GROUPS = ("smileys-emotion", "animals-nature", "food-drink", "travel-places", "activities", "objects")
LEFT_OUT = re.compile(r"(o’clock|-thirty)$")
"""Names of things that are left out: the 24 faces of a clock."""

FEWEST = 5
"""A thing that fewer families have drawn is left out."""

MIT = """\
> Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated
> documentation files (the "Software"), to deal in the Software without restriction, including without limitation the
> rights to use, copy, modify, merge, publish, distribute, sublicense, and/or sell copies of the Software, and to permit
> persons to whom the Software is furnished to do so, subject to the following conditions:
>
> The above copyright notice and this permission notice shall be included in all copies or substantial portions of the
> Software.
>
> THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO THE
> WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR
> COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR
> OTHERWISE, ARISING FROM, OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.
"""


def words() -> dict[str, dict[str, Any]]:
    """What emojibase says about each thing of our groups, by its code points."""
    files = WORDS.files()
    groups = json.loads(files["meta/groups.json"])
    found = {}
    for entry in json.loads(files["en/data.json"]):
        group = groups["groups"].get(str(entry.get("group")))
        name = entry["label"].replace("’", "'")
        if group not in GROUPS or LEFT_OUT.search(entry["label"]):
            continue
        parts = set(re.split(r"\W+", name.lower()))
        keywords = [word for word in entry.get("tags", ()) if not set(re.split(r"\W+", word.lower())) <= parts]
        kind = groups["subgroups"][str(entry["subgroup"])]
        found[_code(entry["hexcode"])] = {"name": name, "keywords": keywords, "kind": kind, "group": group}
    return found


def drawings(files: Mapping[str, bytes], wanted: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """The SVG of each wanted thing that a family has drawn, by its code points."""
    icons, codes = json.loads(files["icons.json"]), json.loads(files["chars.json"])
    parents = {name: alias["parent"] for name, alias in icons.get("aliases", {}).items()}
    by_code = {_code(code): name for code, name in codes.items()}
    found = {}
    for code, thing in wanted.items():
        name = by_code.get(code) or re.sub(r"[^a-z0-9]+", "-", thing["name"].lower().replace("'", "")).strip("-")
        icon = icons["icons"].get(parents.get(name, name))
        if icon is not None:
            place = (icon.get("left", 0), icon.get("top", 0))
            size = (icon.get("width", icons["width"]), icon.get("height", icons["height"]))
            box = " ".join(map(str, (*place, *size)))
            found[code] = (
                '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
                f'viewBox="{box}">{icon["body"].replace("currentColor", "#000")}</svg>'
            )
    return found


def sheet(svgs: Iterable[str]) -> bytes:
    """The rendered pictures on one sheet, as a WebP file without loss."""
    from resvg_py import svg_to_bytes  # needed here alone

    pictures = [Image.open(io.BytesIO(bytes(svg_to_bytes(svg_string=svg, width=SIDE, height=SIDE)))) for svg in svgs]
    whole = Image.new("RGBA", (COLUMNS * SIDE, -(-len(pictures) // COLUMNS) * SIDE))
    for number, picture in enumerate(pictures):
        whole.paste(picture, (number % COLUMNS * SIDE, number // COLUMNS * SIDE))
    content = io.BytesIO()
    whole.save(content, "WEBP", lossless=True, quality=100, method=6)
    return content.getvalue()


def notice(sources: Mapping[Source, Mapping[str, Any]]) -> str:
    """The text that names the artists and licences; `sources` holds the info.json of each package."""
    lines = [
        "# Where the pictures and their words come from",
        "",
        "The pictures were rendered from vector drawings at 48 x 48 pixels and are otherwise unchanged.",
        "",
        "| file | pictures by | licence | package |",
        "| --- | --- | --- | --- |",
    ]
    for source, info in sources.items():
        author, licence, package = info["author"], info["license"], source.package
        lines.append(
            f"| {source.name}.webp | [{author['name']}]({author['url']}) | [{licence['title']}]({licence['url']}) | "
            f"{package.name} {package.version} |"
        )
    return "\n".join(
        [
            *lines,
            "",
            f"Names, keywords and groups: {WORDS.name} {WORDS.version} by Miles Johnson (MIT), after the Unicode CLDR",
            "(Unicode License).",
            "",
            "openmoji.webp is under a share-alike licence (CC BY-SA 4.0): whoever changes it and passes it on does so",
            "under the same licence. It stands in a file of its own, nothing else in the package is made from it, and",
            "the embedded CLIP was not trained on it.",
            "",
            "The Apache License 2.0 is in LICENSE-APACHE-2.0.txt. The MIT License, for fluent (Copyright (c) Microsoft",
            "Corporation) and for emojibase (Copyright (c) 2017-2019 Miles Johnson):",
            "",
            MIT,
        ]
    )


def build(folder: Path = FOLDER) -> None:
    """Fetches, renders and writes everything."""
    known, told, drawn = words(), {}, {}
    for source in SOURCES:
        files = source.package.files()
        told[source], drawn[source] = json.loads(files["info.json"]), drawings(files, known)
    counts = Counter(code for svgs in drawn.values() for code in svgs)
    kept = [code for code in known if counts[code] >= FEWEST]
    places, families = {code: place for place, code in enumerate(kept)}, []
    for source, svgs in drawn.items():
        ours = [code for code in kept if code in svgs]
        content = sheet(svgs[code] for code in ours)
        write_bytes(folder / f"{source.name}.webp", content)
        sha256, shown = hashlib.sha256(content).hexdigest(), [places[code] for code in ours]
        families.append({"name": source.name, "style": source.style, "sha256": sha256, "things": shown})
        print(f"{source.name}: {len(ours)} pictures, {len(content):,} bytes")
    things = ",\n".join(json.dumps(known[code], ensure_ascii=False) for code in kept)
    lines = ",\n".join(json.dumps(family) for family in families)
    write_text(folder / "index.json", f'{{"things": [\n{things}\n],\n"families": [\n{lines}\n]}}\n')
    write_text(folder / "NOTICE.md", notice(told))


def _code(code: str) -> str:
    """Code points without the variation selector, which some packages leave out."""
    return code.lower().replace("-fe0f", "")


if __name__ == "__main__":
    build()
