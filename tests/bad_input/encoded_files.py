"""Files of lines in other encodings, or of other kinds than their names say."""

from collections.abc import Mapping

from tests.bad_input.kinds import (
    MALFORMED,
    MISSING_TEXT,
    NOT_UTF8,
    SCORED,
    TOO_LARGE,
    UNREADABLE,
    BadFile,
)

_JSON = '{"text": "Nice."}\n'
_CSV = "n,text\n1,Nice.\n"
_MARK = b"\xef\xbb\xbf"


def _files(suffix: str, contents: Mapping[str, tuple[bytes, Mapping[str, str]]]) -> list[BadFile]:
    return [
        BadFile(f"{name}, {suffix[1:]}", suffix, content, outcomes)
        for name, (content, outcomes) in contents.items()
    ]


FILES = [
    *_files(
        ".jsonl",
        {
            "UTF-16 with a mark": (_JSON.encode("utf-16"), {"0": NOT_UTF8, "37": MALFORMED}),
            # Without a mark every other byte is NUL; and what follows the line end is one.
            "UTF-16 without a mark": (_JSON.encode("utf-16-le"), {"0": MALFORMED, "35": MALFORMED}),
            "UTF-16 the other way round": (_JSON.encode("utf-16-be"), {"0": MALFORMED}),
            "UTF-32": (_JSON.encode("utf-32"), {"0": NOT_UTF8, "73": MALFORMED}),
            "EBCDIC": (_JSON.encode("cp500"), {"0": NOT_UTF8}),
            "a byte order mark": (_MARK + _JSON.encode(), {"0": SCORED}),
            "two byte order marks": (2 * _MARK + _JSON.encode(), {"0": MALFORMED}),
            "half a byte order mark": (_MARK[:2] + _JSON.encode(), {"0": NOT_UTF8}),
            "nothing but a byte order mark": (_MARK, {}),
            "nothing but line ends": (b"\n\r\n\n", {}),
            "no line end": (_JSON.strip().encode(), {"0": SCORED}),
            "line ends of Windows": (
                2 * _JSON.replace("\n", "\r\n").encode(),
                {"0": SCORED, "19": SCORED},
            ),
            "line ends of old Macs": (2 * _JSON.replace("\n", "\r").encode(), {"0": MALFORMED}),
            "a list over several lines": (
                b'[\n{"text": "Nice."},\n{"text": "Nice."}\n]\n',
                {"0": MALFORMED, "2": MALFORMED, "21": SCORED, "39": MALFORMED},
            ),
            "an object over several lines": (
                b'{\n  "text": "Nice."\n}\n',
                {"0": MALFORMED, "2": MALFORMED, "20": MALFORMED},
            ),
            "cut within a line": (_JSON.encode() + b'{"text": "Ni', {"0": SCORED, "18": MALFORMED}),
            "a sparse end": (_JSON.encode() + b"\0" * 5000, {"0": SCORED, "18": MALFORMED}),
            "CSV by name JSONL": (_CSV.encode(), {"0": MALFORMED, "7": MALFORMED}),
            "a PNG": (
                b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR",
                {"0": NOT_UTF8, "6": MALFORMED, "8": MALFORMED},
            ),
        },
    ),
    *_files(
        ".txt",
        {
            "UTF-16 with a mark": ("Nice.\n".encode("utf-16"), {"0": NOT_UTF8, "13": SCORED}),
            "a byte order mark": (_MARK + b"Nice.", {"0": SCORED}),
            "line ends of old Macs": (b"Nice.\rGood.\r", {"0": SCORED}),
            "line ends of Windows": (b"Nice.\r\nGood.\r\n", {"0": SCORED, "7": SCORED}),
            "nothing": (b"", {}),
        },
    ),
    *_files(
        ".csv",
        {
            "nothing": (b"", {}),
            "nothing but a byte order mark": (_MARK, {}),
            "nothing but a header": (b"n,text\n", {}),
            "a byte order mark": (_MARK + b"text,n\nNice.,1\n", {"0": SCORED}),
            "two byte order marks": (2 * _MARK + b"text,n\nNice.,1\n", {"0": MISSING_TEXT}),
            "UTF-16 with a mark": (_CSV.encode("utf-16"), {"0": MISSING_TEXT, "1": MALFORMED}),
            "UTF-32": (_CSV.encode("utf-32"), {"0": MISSING_TEXT, "1": MALFORMED}),
            "a header in Latin-1": ("text,prix é\nNice.,1\n".encode("latin-1"), {"0": SCORED}),
            "a header without text": (
                b"n,body\n1,Nice.\n2,Good.\n",
                {"0": MISSING_TEXT, "1": MISSING_TEXT},
            ),
            "a header in upper case": (b"N,TEXT\n1,Nice.\n", {"0": MISSING_TEXT}),
            "a header with spaces": (b"n, text\n1, Nice.\n", {"0": MISSING_TEXT}),
            "no header": (b"1,Nice.\n2,Good.\n", {"0": MISSING_TEXT}),
            "a header with a name twice": (b"text,n,text\nNice.,1,Good.\n", {"0": UNREADABLE}),
            "a header with no name": (b"n,,text\n1,2,Nice.\n", {"0": UNREADABLE}),
            "a header with an open quote": (b'n,"text\n1,Nice.\n', {"0": UNREADABLE}),
            "a header of Excel": (b"sep=,\nn,text\n1,Nice.\n", {"0": UNREADABLE}),
            "a title above the header": (
                b"Reviews\nn,text\n1,Nice.\n",
                {"0": MALFORMED, "1": MALFORMED},
            ),
            "line ends of old Macs": (b"n,text\r1,Nice.\r", {"0": UNREADABLE}),
            "no line end": (b"n,text\n1,Nice.", {"0": SCORED}),
            "cut within a row": (b"n,text\n1,Nice.\n2", {"0": SCORED, "1": MALFORMED}),
            "cut within quotes": (b'n,text\n1,Nice.\n2,"Goo', {"0": SCORED, "1": MALFORMED}),
            "a quote that is never closed": (
                b'n,text\n1,Nice.\n2,"Good.\n3,Good.\n4,Good.\n',
                {"0": SCORED, "1": MALFORMED},
            ),
            "a quote never closed over 17 MB": (
                b'n,text\n1,Nice.\n2,"Good.\n' + b"3,Good.\n" * 2_200_000,
                {"0": SCORED, "1": TOO_LARGE},
            ),
            "two tables": (
                b"n,text\n1,Nice.\n\nday,stars,n\n1,2,3\n",
                {"0": SCORED, "1": MALFORMED, "2": MALFORMED},
            ),
            "NULs at the end": (b"n,text\n1,Nice.\n" + b"\0" * 5000, {"0": SCORED, "1": MALFORMED}),
            "JSONL by name CSV": (2 * _JSON.encode(), {"0": MISSING_TEXT}),
            "TSV by name CSV": (b"n\ttext\n1\tNice.\n", {"0": MISSING_TEXT}),
            "a workbook": (b"PK\x03\x04\x14\0\x06\0\n\x08\0\0\0!\0", {"0": MISSING_TEXT}),
        },
    ),
    *_files(
        ".tsv",
        {
            "CSV by name TSV": (_CSV.encode(), {"0": MISSING_TEXT}),
            "nothing": (b"", {}),
            "a quote that is never closed": (
                b'n\ttext\n1\tNice.\n2\t"5 discs\n',
                {"0": SCORED, "1": MALFORMED},
            ),
            "a header with a name twice": (b"text\ttext\nNice.\tGood.\n", {"0": UNREADABLE}),
        },
    ),
]
