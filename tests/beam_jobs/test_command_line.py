import apache_beam  # noqa: F401 - every module of Beam that has options is loaded with it
import pytest
from apache_beam.options.pipeline_options import PipelineOptions, _BeamArgumentParser

from beam_jobs.command_line import beam_flags, parse, pipeline_options
from beam_jobs.formats import FORMATS
from beam_jobs.options import INPUT_FORMATS, OUTPUT_FORMATS
from beam_jobs.sinks import SUFFIXES
from schemas.errors import UserError

NEEDED = ["--input", "a.jsonl", "--output", "out"]


def test_reads_our_options_and_lets_those_of_beam_pass() -> None:
    values = parse([*NEEDED, "--input", "b.csv", "--runner", "DataflowRunner", "--region=x"])

    assert values.input == ["a.jsonl", "b.csv"]
    assert values.output == "out"


def test_beam_sees_the_whole_command_line() -> None:
    options = pipeline_options([*NEEDED, "--max_batch_tokens", "512", "--region=x"])

    values = options.get_all_options(drop_default=True, retain_unknown_options=False)
    assert values == {
        "input": ["a.jsonl"],
        "output": "out",
        "max_batch_tokens": 512,
        "region": "x",
    }


def test_names_every_format() -> None:
    assert tuple(FORMATS) == INPUT_FORMATS
    assert tuple(SUFFIXES) == OUTPUT_FORMATS


def test_knows_every_flag_that_beam_registers() -> None:
    parser = _BeamArgumentParser(allow_abbrev=False)
    for group in PipelineOptions.__subclasses__():
        if group.__module__.startswith("apache_beam.options"):
            group._add_argparse_args(parser)
    registered = {flag for action in parser._actions for flag in action.option_strings}

    assert {flag for flag in registered if flag.startswith("--")} - {"--help"} <= beam_flags()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "--input is missing"),
        (["--input", "a"], "--output is missing"),
        (["--input", "a", "--output", "/"], "--output is missing"),
        ([*NEEDED, "--inptu", "b"], "unknown option --inptu: did you mean --input?"),
        ([*NEEDED, "--runer", "x"], "unknown option --runer: did you mean --runner?"),
        ([*NEEDED, "--qqqqqqqqqqqqqqqqqqq"], "see score-reviews --help"),
        (["a.jsonl", "--output", "out"], "'a.jsonl' belongs to no option"),
        ([*NEEDED, "--region=x", "stray"], "'stray' belongs to no option"),
        ([*NEEDED, "--input_format", "xml"], "--input_format 'xml' is unknown"),
        ([*NEEDED, "--output_format", "csv"], "choose one of jsonl, jsonl.gz, parquet, avro"),
        ([*NEEDED, "--keep_fields", "stars:int"], "--keep_fields stars:int: the type 'int'"),
        ([*NEEDED, "--max_rejected_share", "5"], "give a number from 0 to 1"),
        ([*NEEDED, "--max_rejected_share", "nan"], "give a number from 0 to 1"),
        ([*NEEDED, "--max_batch_tokens", "0"], "--max_batch_tokens 0 is too few"),
        ([*NEEDED, "--max_batch_tokens", "many"], "invalid int value: 'many'"),
        ([*NEEDED, "--engine", "onnx"], "choose one of saved_model, tfx_bsl"),
        ([*NEEDED, "--signature", "x"], "--signature goes with --engine tfx_bsl only"),
        ([*NEEDED, "--log_format", "xml"], "choose one of text, json"),
    ],
)
def test_a_mistake_is_one_line(arguments: list[str], message: str) -> None:
    with pytest.raises(UserError) as error:
        parse(arguments)

    assert message in str(error.value)
    assert "\n" not in str(error.value)
