from benchmarks.exports import WAYS, table


def test_costs_are_ratios_within_a_round() -> None:
    """The machine is half as fast in the second round, and there prompts cost as much as in the first."""
    plain, own = [1.0, 2.0, 1.0], [1.1, 2.2, 1.3]
    found = {"zero_shot": dict.fromkeys(WAYS, plain), "bmip": dict.fromkeys(WAYS, own)}
    *_, first, last = table(found, batch=4)
    assert first == f"| zero-shot |{' 4.0 |' * len(WAYS)}"
    assert last == f"| bmip |{' 3.1 (+10.0 %: +10.0 to +20.0) |' * len(WAYS)}"
