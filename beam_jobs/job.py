"""What a run is, settled and checked before anything runs."""

import importlib.metadata
import importlib.util
import time
from argparse import Namespace
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from apache_beam.io.filesystems import FileSystems

from beam_jobs.formats import format_of
from beam_jobs.manifest import RunFacts
from beam_jobs.output import check_output
from beam_jobs.rows import is_avro_name
from beam_jobs.sources import match_files
from model.card import default_model_directory, fingerprint, read_card
from model.tfx import StringSignature, string_signature
from schemas.errors import UserError
from schemas.field import Field, FieldType
from schemas.review import KeptField, ReviewFields
from schemas.score import columns

_VERSIONED = ("review-scoring", "apache-beam", "tensorflow", "tensorflow-text")


@dataclass(frozen=True)
class Model:
    """The model of a run.

    Attributes:
        directory: the SavedModel.
        identity: how rows name it, as `name@fingerprint`.
        max_batch_tokens: most tokens of a batch, padding included.
        tfx_signature: what tfx-bsl is to call; None where the job tokenizes for the model.
    """

    directory: str
    identity: str
    max_batch_tokens: int
    tfx_signature: StringSignature | None


@dataclass(frozen=True)
class Job:
    """A run, every part of it checked.

    Attributes:
        patterns: what to read.
        input_format: name of the format; empty where the name of each file tells.
        fields: which fields make a review.
        model: what scores it.
        prefix: where the rows go, without a slash at its end.
        output_format: how they are written.
        facts: what the manifest says of the run.
    """

    patterns: Sequence[str]
    input_format: str
    fields: ReviewFields
    model: Model
    prefix: str
    output_format: str
    facts: RunFacts


def prepare(options: Namespace) -> Job:
    """Settles a run from checked options.

    Raises:
        UserError: an input, a field, the model or the output is not as it must be.
    """
    files = match_files(options.input)
    fields = review_fields(options, described_fields(files, options.input_format))
    if options.output_format == "avro":
        _check_avro_names(fields.kept_columns())
    model = _model(options)
    prefix = check_output(options.output.rstrip("/"), files, options.overwrite)
    return Job(
        patterns=tuple(options.input),
        input_format=options.input_format,
        fields=fields,
        model=model,
        prefix=prefix,
        output_format=options.output_format,
        facts=_facts(options, files, model),
    )


def described_fields(files: Sequence[str], input_format: str) -> dict[str, dict[str, FieldType]]:
    """The fields of the first file of each format that has any, by path.

    Empty files and plain text have none. A damaged file is passed over: its reviews will be
    rejected, and cost no other file its scores.

    Raises:
        UserError: the format of a file can't be told, or no file of a format can be used.
    """
    described: dict[str, dict[str, FieldType]] = {}
    unusable: dict[str, UserError] = {}
    settled = set()
    for path in files:
        file_format = format_of(path, input_format)
        if file_format.name in settled:
            continue
        try:
            fields = file_format.describe(path)
        except UserError as error:
            unusable.setdefault(file_format.name, error)
            continue
        if fields:
            settled.add(file_format.name)
            described[path] = fields
    for name, reason in unusable.items():
        if name not in settled:
            raise reason
    return described


def review_fields(
    options: Namespace, described: Mapping[str, Mapping[str, FieldType]]
) -> ReviewFields:
    """Which fields make a review, after a look at the input.

    Raises:
        UserError: a field is in none of the files looked at, or has different types.
    """
    _check_present("--text_field", options.text_field, described)
    if options.id_field:
        _check_present("--id_field", options.id_field, described)
    kept = tuple(_kept_field(text, described) for text in options.keep_fields or ())
    fields = ReviewFields(options.text_field, options.id_field, kept)
    columns(fields.kept_columns())
    return fields


def _kept_field(text: str, described: Mapping[str, Mapping[str, FieldType]]) -> KeptField:
    """Reads `[COLUMN=]NAME[:TYPE]`."""
    column, _, source = text.rpartition("=")
    name, _, type_name = source.partition(":")
    if type_name:
        field_type = FieldType(type_name)
    else:
        _check_present("--keep_fields", name, described)
        field_type = _common_type(name, described)
    return KeptField(name, Field(column or name, field_type))


def _common_type(name: str, described: Mapping[str, Mapping[str, FieldType]]) -> FieldType:
    types = {fields[name] for fields in described.values()}
    if types == {FieldType.INT64, FieldType.FLOAT64}:
        return FieldType.FLOAT64
    if len(types) > 1:
        names = " and ".join(sorted(kind.value for kind in types))
        raise UserError(
            f"--keep_fields {name}: its type is {names} in {', '.join(described)}; "
            f"name one, as in {name}:string"
        )
    return types.pop() if types else FieldType.STRING


def _check_present(flag: str, name: str, described: Mapping[str, Mapping[str, FieldType]]) -> None:
    for path, fields in described.items():
        if name not in fields:
            raise UserError(
                f"{flag} {name!r} is not a field of {path}: its fields are {', '.join(fields)}"
            )


def _check_avro_names(kept: Sequence[Field]) -> None:
    for column in kept:
        if not is_avro_name(column.name):
            raise UserError(
                f"--keep_fields {column.name}: Avro takes names of letters, digits and "
                f"underscores only; give it another, as in kept={column.name}"
            )


def _model(options: Namespace) -> Model:
    directory = options.model or str(default_model_directory())
    if options.engine == "tfx_bsl":
        name, tfx_signature = Path(directory).name, _tfx_signature(options, directory)
    else:
        name, tfx_signature = read_card(directory).name, None
    return Model(
        directory=directory,
        identity=f"{name}@{fingerprint(directory)[:12]}",
        max_batch_tokens=options.max_batch_tokens,
        tfx_signature=tfx_signature,
    )


def _tfx_signature(options: Namespace, directory: str) -> StringSignature:
    if importlib.util.find_spec("tfx_bsl") is None:
        raise UserError(
            "--engine tfx_bsl needs the package tfx-bsl, which is not installed; "
            "it can't be on Linux on arm64 and on Python 3.10"
        )
    return string_signature(
        directory, options.signature, options.example_feature, options.positive_output
    )


def _facts(options: Namespace, files: Sequence[str], model: Model) -> RunFacts:
    size = sum(FileSystems.match([path])[0].metadata_list[0].size_in_bytes for path in files)
    return RunFacts(
        inputs={"patterns": list(options.input), "files": len(files), "bytes": size},
        model={"directory": model.directory, "identity": model.identity},
        options={name: value for name, value in vars(options).items() if value is not None},
        versions={package: importlib.metadata.version(package) for package in _VERSIONED},
        max_rejected_share=options.max_rejected_share,
        started_at=time.time(),
    )
