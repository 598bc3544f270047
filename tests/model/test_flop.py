from model.flop import encoder_flop
from model.settings import EncoderConfig


def config(layers: int, width: int, intermediate: int) -> EncoderConfig:
    return EncoderConfig(
        vocabulary_size=10,
        hidden_size=width,
        layers=layers,
        heads=1,
        intermediate_size=intermediate,
        max_positions=9,
    )


def test_one_token_is_counted_by_hand() -> None:
    # Of width 2, with 8 in between: four products of 2 x 2 weights and two of 2 x 8 are 48
    # multiplications; attention has two products with the one token, of 2 multiplications each.
    assert encoder_flop(config(1, 2, 8), tokens=1) == 2 * (48 + 4)


def test_attention_grows_with_the_square_of_the_length() -> None:
    # Three tokens: 3 x 48 in the dense layers, 3 x 3 x 2 twice in attention.
    assert encoder_flop(config(5, 2, 8), tokens=3) == 5 * 2 * (144 + 36)
