from bmip.system.messages import FEW, counted, first_few, nearest


def test_the_nearest_name() -> None:
    assert nearest("trian", ["test", "train"]) == "did you mean 'train'?"
    assert nearest("x", ["test", "train"]) == "there are test, train"
    assert nearest("x", (), "it has") == "it has none"


def test_the_first_few() -> None:
    assert first_few([]) == ""
    assert first_few(range(FEW)) == "0, 1, 2, 3, 4"
    assert first_few(range(FEW + 2)) == "0, 1, 2, 3, 4 and 2 more"
    assert first_few(iter("abc"), most=1, separator="; ") == "a and 2 more"


def test_one_and_more() -> None:
    assert [counted(count, "class folder") for count in (0, 1)] == ["0 class folders", "1 class folder"]
    assert [counted(count, "class") for count in (1, 2)] == ["1 class", "2 classes"]
