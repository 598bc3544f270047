import pytest

from schemas.errors import UserError
from schemas.field import Field, FieldType
from schemas.score import Score, columns, label_of, score_row

STARS = Field("stars", FieldType.INT64)


def test_a_row_has_exactly_the_columns() -> None:
    score = Score("r1", "positive", 0.75, 12, False, "tiny@abc", None, (5,))

    row = score_row(score, (STARS,))

    assert list(row) == [column.name for column in columns((STARS,))]
    assert row["stars"] == 5
    assert row["positive_probability"] == 0.75


@pytest.mark.parametrize("kept", [(Field("label", FieldType.STRING),), (STARS, STARS)])
def test_a_column_has_one_meaning(kept: tuple[Field, ...]) -> None:
    with pytest.raises(UserError, match="already have a column"):
        columns(kept)


@pytest.mark.parametrize(("threshold", "below"), [(0.5, 0.499999), (0.3, 0.299999), (0.9, 0.5)])
def test_the_threshold_itself_is_positive(threshold: float, below: float) -> None:
    assert [label_of(p, threshold) for p in (0.0, below, threshold, 1.0)] == [
        "negative",
        "negative",
        "positive",
        "positive",
    ]
