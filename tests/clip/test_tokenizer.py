import gzip
import html
import json
from functools import cache
from itertools import pairwise
from pathlib import Path

import ftfy
import pytest
import regex
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from bmip.clip.tokenizer import MERGES_FILE, Tokenizer, clean

CAPTIONS = [f"a photo of a {colour} {shape}." for colour in ("red", "green", "blue") for shape in ("ring", "star")] * 4

# characters old enough for every library's Unicode tables to agree on them; no surrogates, nothing unassigned
CHARACTERS = st.characters(max_codepoint=0x2FFFF, exclude_categories=("Cs", "Cn", "Co"))
TEXTS = st.one_of(
    st.text(CHARACTERS, max_size=20),
    st.text("aeistTBrdlmvSſ'’.-&;#<|>3 7\n\tßéµ", max_size=30),
    st.lists(st.sampled_from(["Boeing 737", "don't", "St.", "&amp;amp;", "é", "cafe\u0301", "ﬁ", "™"])).map(" ".join),
)


@cache
def plain_tables():
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [byte for byte in range(256) if byte not in printable]
    letters = {byte: chr(byte) for byte in printable} | {byte: chr(256 + n) for n, byte in enumerate(others)}
    lines = gzip.decompress(MERGES_FILE.read_bytes()).decode().split("\n")[1:48895]
    ranks = {tuple(line.split()): rank for rank, line in enumerate(lines)}
    tokens = [*letters.values(), *(letter + "</w>" for letter in letters.values()), *map("".join, ranks)]
    return letters, ranks, {token: number for number, token in enumerate(tokens)}


def plain_encode(text: str) -> list[int]:
    """Byte-pair encoding as written in a textbook: merge the best-ranked neighbours until no pair is known."""
    letters, ranks, numbers = plain_tables()
    text = html.unescape(html.unescape(ftfy.fix_text(text)))
    text = regex.sub(r"\s+", " ", text).strip().lower()
    pattern = r"'s|'t|'re|'ve|'m|'ll|'d|\p{L}+|\p{N}|[^\s\p{L}\p{N}]+"
    ids = []
    for word in regex.findall(pattern, text, regex.IGNORECASE):
        parts = [letters[byte] for byte in word.encode()]
        parts[-1] += "</w>"
        while True:
            known = [(ranks[pair], i) for i, pair in enumerate(pairwise(parts)) if pair in ranks]
            if not known:
                break
            _, at = min(known)
            parts[at : at + 2] = [parts[at] + parts[at + 1]]
        ids += [numbers[part] for part in parts]
    return ids


def merges_and_vocab(folder: Path) -> tuple[Path, Path]:
    """vocab.json and merges.txt as `transformers` stores OpenAI's tokeniser."""
    _, ranks, numbers = plain_tables()
    table = numbers | {"<|startoftext|>": 49406, "<|endoftext|>": 49407}
    (folder / "vocab.json").write_text(json.dumps(table), encoding="utf-8")
    lines = ["#version: 0.2", *map(" ".join, ranks)]
    (folder / "merges.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder / "vocab.json", folder / "merges.txt"


@pytest.fixture(scope="module")
def transformers_tokenizer():
    from transformers import CLIPTokenizer

    _, ranks, numbers = plain_tables()
    table = numbers | {"<|startoftext|>": 49406, "<|endoftext|>": 49407}
    return CLIPTokenizer(vocab=table, merges=list(ranks))


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("a photo of a cat.", [320, 1125, 539, 320, 2368, 269]),
        ("X X cat.", [343, 343, 2368, 269]),
        (".", [269]),
        ("2012", [273, 271, 272, 273]),
        ("Boeing 737-800", [11857, 278, 274, 278, 268, 279, 271, 271]),
        ("", []),
        (" \n\t", []),
    ],
)
def test_known_ids(text, ids):
    assert Tokenizer.default().encode(text) == ids


def test_default_is_openais():
    tokenizer = Tokenizer.default()
    assert (tokenizer.vocabulary, tokenizer.start, tokenizer.end) == (49408, 49406, 49407)


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("  A  Photo\tof\n", "a photo of"),
        ("cats &amp;amp; dogs", "cats & dogs"),
        ("caf\u00c3\u00a9", "café"),  # UTF-8 read as Latin-1, mended
        ("the ‘cat’", "the 'cat'"),
    ],
)
def test_clean(text, cleaned):
    assert clean(text) == cleaned


@settings(max_examples=200)
@given(TEXTS)
def test_equals_the_plain_encoding(text):
    assume("<|" not in text)
    assert Tokenizer.default().encode(text) == plain_encode(text)


@given(st.text(alphabet="abcxyzABC0189 -'.,()/éüñß", max_size=20))
def test_decoded_text_has_the_same_ids(text):
    ids = Tokenizer.default().encode(text)
    assert Tokenizer.default().encode(Tokenizer.default().decode(ids)) == ids


def test_decoding():
    ids = Tokenizer.default().encode("Boeing 737-800, café")
    assert Tokenizer.default().decode(ids) == "boeing 7 3 7 - 8 0 0 , café"


def test_full_stop_after_abbreviation_joins_as_in_clip():
    whole = Tokenizer.default().encode("a photo of a St..")
    assert whole == plain_encode("a photo of a St..")
    assert whole != Tokenizer.default().encode("a photo of a St.") + Tokenizer.default().encode(".")


@settings(max_examples=200)
@given(TEXTS)
def test_equals_transformers_on_clean_text(transformers_tokenizer, text):
    """Where ftfy and HTML have nothing to mend; and without the long s, which ends a contraction only in CLIP."""
    cleaned = clean(text)
    assume("<|" not in cleaned and clean(cleaned) == cleaned and "ſ" not in cleaned)
    expected = transformers_tokenizer(cleaned, add_special_tokens=False)["input_ids"]
    assert Tokenizer.default().encode(cleaned) == expected


def test_transformers_leaves_html_and_broken_text(transformers_tokenizer):
    for text in ("cats &amp; dogs", "caf\u00c3\u00a9"):
        assert Tokenizer.default().encode(text) != transformers_tokenizer(text, add_special_tokens=False)["input_ids"]


def test_every_kind_of_file_gives_the_same_ids(tmp_path, transformers_tokenizer):
    ours = Tokenizer.default()
    ours.save(tmp_path / "ours.json")
    transformers_tokenizer.save_pretrained(tmp_path)
    loaded = [
        Tokenizer.from_file(tmp_path / "ours.json"),
        Tokenizer.from_file(tmp_path / "tokenizer.json"),
        Tokenizer.from_vocab_and_merges(*merges_and_vocab(tmp_path)),
        Tokenizer.from_merges_gz(MERGES_FILE),
    ]
    text = "A photo of a Boeing 737-800, naïve 東京 🙂 St.."
    for other in loaded:
        assert other.encode(text) == ours.encode(text)
        assert (other.start, other.end, other.vocabulary) == (ours.start, ours.end, ours.vocabulary)


@pytest.mark.parametrize("special", ["<|startoftext|>", "<|EndOfText|>"])
def test_special_words_in_a_text_are_refused(special):
    with pytest.raises(ValueError, match="marks the ends of a text"):
        Tokenizer.default().encode(f"a {special} cat")


def test_trained(tmp_path):
    tokenizer = Tokenizer.train(iter(CAPTIONS), 530)
    assert (tokenizer.vocabulary, tokenizer.start, tokenizer.end) == (530, 528, 529)
    text = "a photo of a red ring."
    assert len(tokenizer.encode(text)) < len(Tokenizer.train([], 530).encode(text)) == 17
    assert len(tokenizer.encode("2012")) == 4
    assert len(tokenizer.encode("ø")) == 2  # bytes it never saw
    tokenizer.save(tmp_path / "tokenizer.json")
    again = Tokenizer.from_file(tmp_path / "tokenizer.json")
    assert again.encode(text) == tokenizer.encode(text) == Tokenizer.train(CAPTIONS, 530).encode(text)


@settings(max_examples=50)
@given(TEXTS)
def test_trained_never_loses_a_byte(text):
    assume("<|" not in text)
    ids = Tokenizer.train([], 514).encode(text)  # no merges: every byte but the spaces is a token
    assert len(ids) == len("".join(clean(text).split()).encode())


def test_trained_stops_when_nothing_is_left_to_merge():
    assert Tokenizer.train(["ab ab ab"], 2000).vocabulary == 515


def test_too_small_a_vocabulary():
    with pytest.raises(ValueError, match="need 514"):
        Tokenizer.train(CAPTIONS, 513)


def test_another_merges_file_is_refused(tmp_path):
    (tmp_path / "merges.gz").write_bytes(gzip.compress(b"#version\na b\n"))
    with pytest.raises(ValueError, match="sha256"):
        Tokenizer.from_merges_gz(tmp_path / "merges.gz")


def change(tmp_path: Path, edit) -> Path:
    path = tmp_path / "tokenizer.json"
    Tokenizer.train(CAPTIONS, 520).save(path)
    content = json.loads(path.read_text(encoding="utf-8"))
    edit(content["model"])
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (lambda model: model.update(type="WordPiece"), "type WordPiece"),
        (lambda model: model.update(end_of_word_suffix=None), "word ending None"),
        (lambda model: model["vocab"].update({"<|endoftext|>": 3}), "each once"),
        (lambda model: model["vocab"].update(other=model["vocab"].pop("a</w>")), "lacks 1 of the 512"),
        (
            lambda model: model["vocab"].update(other=model["vocab"].pop("<|endoftext|>")),
            "not the vocabulary of a CLIP",
        ),
        (lambda model: model["merges"].append(["q", "unknown"]), "do not belong together"),
        (lambda model: model["merges"].append("one"), "not a merge"),
        (lambda model: model.update(merges=model["merges"][:3]), "tokens? that no merge makes"),
        (lambda model: model.update(vocab=[]), "no table"),
    ],
)
def test_files_of_another_kind_are_refused(tmp_path, edit, message):
    with pytest.raises(ValueError, match=message):
        Tokenizer.from_file(change(tmp_path, edit))


def test_merges_that_were_cut_short(tmp_path):
    """Where a file was cut between two lines, as where it was cut within one."""
    vocab, merges = merges_and_vocab(tmp_path)
    whole = merges.read_text()
    for length in (len(whole) // 2, whole.rindex("\n", 0, len(whole) - 2) + 1):
        merges.write_text(whole[:length])
        with pytest.raises(ValueError, match=r"no merge makes|is not a merge"):
            Tokenizer.from_vocab_and_merges(vocab, merges)


def test_damaged_file(tmp_path):
    (tmp_path / "tokenizer.json").write_text('{"model": {"ty', encoding="utf-8")
    with pytest.raises(ValueError, match="not a JSON file"):
        Tokenizer.from_file(tmp_path / "tokenizer.json")
    (tmp_path / "tokenizer.json").write_text("[]", encoding="utf-8")
    with pytest.raises(ValueError, match="JSON object"):
        Tokenizer.from_file(tmp_path / "tokenizer.json")
