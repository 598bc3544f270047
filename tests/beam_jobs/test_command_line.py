import apache_beam  # noqa: F401 - every module of Beam that has options is loaded with it
import pytest
from apache_beam.options.pipeline_options import PipelineOptions, _BeamArgumentParser

from beam_jobs.command_line import beam_flags, parse, pipeline_options
from beam_jobs.formats import FORMATS
from beam_jobs.options import INPUT_FORMATS, OUTPUT_FORMATS
from beam_jobs.sinks import SUFFIXES
from schemas.errors import UserError

NEEDED = ["--input", "a.jsonl", "--output", "out"]


STREAMED = ["--input_subscription", "projects/shop-reviews/subscriptions/new", "--output", "out"]
TOPIC = "projects/shop-reviews/topics/scores"


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
        ([*NEEDED, "--window", "1m"], "--window goes with --input_subscription or --input_topic"),
        ([*NEEDED, "--output_topic", TOPIC], "--output_topic goes with --input_subscription"),
        ([*STREAMED, "--input", "a"], "give one of --input, --input_subscription and"),
        ([*STREAMED, "--input_topic", TOPIC], "give one of --input, --input_subscription and"),
        ([*STREAMED, "--overwrite"], "--overwrite goes with --input only"),
        ([*STREAMED, "--max_rejected_share", "1"], "--max_rejected_share goes with --input only"),
        (
            ["--input_subscription", "new"],
            "--input_subscription 'new' is no path that Pub/Sub allows",
        ),
        (["--input_topic", TOPIC + "/"], "give projects/P/topics/T"),
        (STREAMED[:2], "no output: give --output, --output_topic or --output_table"),
        ([*STREAMED[:2], "--output", "/"], "--output is missing"),
        ([*STREAMED[:2], "--output_topic", TOPIC], "rejections have nowhere to go"),
        (
            [*STREAMED, "--output_topic", "scores"],
            "--output_topic 'scores' is no path that Pub/Sub allows",
        ),
        ([*STREAMED, "--output_table", "scores"], "give PROJECT:DATASET.TABLE"),
        ([*STREAMED, "--ordering_key", "review_id"], "goes with --output_topic only"),
        ([*STREAMED, "--payload", "xml"], "choose one of json, text"),
        ([*STREAMED, "--payload", "text", "--id_field", "id"], "--payload text has no fields"),
        ([*STREAMED, "--id_field", "a", "--id_attribute", "b"], "give one of --id_field and"),
        ([*STREAMED, "--keep_attributes", "shop:text"], "--keep_attributes shop:text: the type"),
        ([*STREAMED, "--window", "5x"], "'5x' is no duration"),
        ([*STREAMED, "--window", "0s"], "--window 0 is too short"),
        ([*STREAMED, "--files_per_window", "0"], "--files_per_window 0 is too few"),
        ([*STREAMED, "--max_batch_wait_ms", "0"], "--max_batch_wait_ms 0 is too short"),
        ([*STREAMED, "--watch_interval", "0m"], "--watch_interval 0 is too short"),
        ([*STREAMED, "--watch_model", "m/*", "--engine", "tfx_bsl"], "not with --engine tfx_bsl"),
    ],
)
def test_a_mistake_is_one_line(arguments: list[str], message: str) -> None:
    with pytest.raises(UserError) as error:
        parse(arguments)

    assert message in str(error.value)
    assert "\n" not in str(error.value)


def test_a_streaming_run_takes_durations_in_seconds() -> None:
    values = parse(
        [*STREAMED, "--window", "90s", "--deduplicate", "10m", "--allowed_lateness", "2d"]
    )

    assert (values.window, values.deduplicate, values.allowed_lateness) == (90, 600, 172_800)
    assert (values.max_batch_wait_ms, values.files_per_window, values.payload) == (50, 1, "json")


def test_a_topic_alone_is_output_enough_where_rejections_have_their_own() -> None:
    values = parse([*STREAMED[:2], "--output_topic", TOPIC, "--rejected_topic", TOPIC])

    assert values.output == ""
