"""`train-sentiment export-encoder`: an encoder as a TF Hub module, to carry it elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from model.command_line import Arguments, known_options, number, parser_of
from model.encoder_sources import encoder_at_hand
from model.options import ARGUMENTS as TRAIN_ARGUMENTS
from model.runtime import import_tensorflow
from model.savedmodel import check_output
from model.settings import PRESETS

NAME = "export-encoder"

ARGUMENTS: Arguments = {
    "output": {
        "required": True,
        "metavar": "DIR",
        "help": "directory where the module goes; must not exist or be empty",
    },
    "preset": {
        "default": "base",
        "choices": sorted(PRESETS),
        "help": "tiny makes a small encoder that knows which words are alike; base and lab take it "
        "as it is (default: %(default)s)",
    },
    "encoder": TRAIN_ARGUMENTS["encoder"],
    "max_length": {
        "type": number(int, 3, 100_000),
        "default": 512,
        "help": "most tokens that the encoder is to take (default: %(default)s)",
    },
}


def export_encoder(arguments: Sequence[str]) -> str:
    """Writes an encoder; see `model.encoder_sources` for what it can be made of.

    Args:
        arguments: those of the command.

    Returns:
        What to tell the user.

    Raises:
        UserError: a mistake in the call, or there is no such encoder.
    """
    about = "Writes an encoder as a TF Hub module, which --encoder takes on any machine."
    given = known_options(parser_of(f"train-sentiment {NAME}", about, ARGUMENTS), arguments)
    output = Path(given.output)
    check_output(output)
    preset = PRESETS[given.preset]
    with encoder_at_hand(given.encoder or preset.encoder, preset.shape) as source:
        import_tensorflow()
        from model.hub_export import export_module

        encoder = source.build(given.max_length, trainable=False)
        export_module(encoder, source.vocabulary, source.lower_case, output)
    return f"encoder in {output}: train-sentiment --preset lab --encoder {output}"
