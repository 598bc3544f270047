"""Which input fields make a review: what the user asked for, held against the files."""

from argparse import Namespace
from collections.abc import Mapping, Sequence

from beam_jobs.formats import format_of
from beam_jobs.rows import is_avro_name
from beam_jobs.storage_errors import READER, storage_explained
from schemas.errors import UserError
from schemas.field import Field, FieldType
from schemas.review import KeptField, ReviewFields
from schemas.score import columns


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
            with storage_explained("--input", path, READER):
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
        UserError: a field is in none of the files looked at, has different types in them, or
            can't have the column that it would become.
    """
    _check_present("--text_field", options.text_field, described)
    if options.id_field:
        _check_present("--id_field", options.id_field, described)
    kept = tuple(_kept_field(text, described) for text in options.keep_fields or ())
    fields = ReviewFields(options.text_field, options.id_field, kept)
    _check_columns(fields, options.output_format)
    return fields


def message_fields(options: Namespace) -> ReviewFields:
    """Which fields and attributes of a message make a review.

    Raises:
        UserError: the type of a field isn't named, though messages don't tell it, or a column
            can't be.
    """
    for text in options.keep_fields or ():
        if ":" not in text:
            raise UserError(
                f"--keep_fields {text}: messages don't tell the type of a field; name it, "
                f"as in {text}:int64"
            )
    fields = ReviewFields(
        options.text_field,
        options.id_field,
        tuple(_kept_field(text, {}) for text in options.keep_fields or ()),
        options.id_attribute,
        options.timestamp_attribute,
        tuple(_kept_field(text, {}) for text in options.keep_attributes or ()),
    )
    _check_columns(fields, options.output_format)
    return fields


def _check_columns(fields: ReviewFields, output_format: str) -> None:
    kept = fields.kept_columns()
    columns(kept)
    for column in kept:
        _check_unicode(column.name)
    if output_format == "avro":
        _check_avro_names(kept)


def _kept_field(text: str, described: Mapping[str, Mapping[str, FieldType]]) -> KeptField:
    """Reads `[COLUMN=]NAME[:TYPE]`."""
    column, equals, source = text.rpartition("=")
    name, _, type_name = source.partition(":")
    if not name or (equals and not column):
        raise UserError(f"--keep_fields {text}: names no field: write [COLUMN=]NAME[:TYPE]")
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


def _check_unicode(name: str) -> None:
    try:
        name.encode("utf-8")
    except UnicodeEncodeError:  # an argument in another encoding
        shown = name.encode("ascii", "backslashreplace").decode("ascii")
        raise UserError(
            f"--keep_fields {shown}: its name is not UTF-8, as columns must be; give it another, "
            "as in kept=NAME"
        ) from None


def _check_avro_names(kept: Sequence[Field]) -> None:
    for column in kept:
        if not is_avro_name(column.name):
            raise UserError(
                f"--keep_fields {column.name}: Avro takes names of letters, digits and "
                f"underscores only; give it another, as in kept={column.name}"
            )
