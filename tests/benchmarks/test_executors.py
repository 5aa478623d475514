from benchmarks.executors import line


def test_trials_that_run_at_once_each_have_the_time_of_several_rows() -> None:
    assert line("pool, 1 worker", 7.0, 0.5, 0.4) == "| pool, 1 worker | 7.00 | 0.500 | 0.400 | 0.10 |"
    assert line("pool, 2 workers", 7.0, 0.25, 0.4) == "| pool, 2 workers | 7.00 | 0.250 | 0.400 | 0.10 |"
