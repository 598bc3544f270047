from beam_jobs.dry_run.estimates import Part, estimated


def test_an_input_that_was_read_as_a_whole_is_counted() -> None:
    parts = [Part("csv", 60, 6, 600), Part("csv", 40, 2, 300)]

    assert estimated(parts, {"csv": 100}) == (8, 900)


def test_a_tenth_is_extrapolated_tenfold() -> None:
    assert estimated([Part("csv", 50, 10, 70), Part("csv", 50, 20, 80)], {"csv": 1_000}) == (
        300,
        1_500,
    )


def test_kinds_are_extrapolated_apart() -> None:
    # A compressed byte holds four times as many reviews.
    parts = [Part("csv", 100, 10, 1_000), Part("csv.gz", 100, 40, 4_000)]

    assert estimated(parts, {"csv": 1_000, "csv.gz": 500}) == (100 + 200, 10_000 + 20_000)


def test_a_kind_that_could_not_be_read_is_like_the_others() -> None:
    parts = [Part("csv", 100, 10, 50), Part("csv.bz2", 0, 0, 0)]

    assert estimated(parts, {"csv": 100, "csv.bz2": 300}) == (10 + 30, 50 + 150)


def test_nothing_read_is_nothing_found() -> None:
    assert estimated([], {"csv": 100}) == (0, 0)
    assert estimated([], {}) == (0, 0)
