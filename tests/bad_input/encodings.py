"""Texts in other encodings than UTF-8."""

from tests.bad_input.kinds import NOT_UTF8, SCORED, BadRecord

_FOREIGN = {
    "Latin-1": "Très délicieux".encode("latin-1"),
    "Windows-1252": "“Nice”".encode("cp1252"),
    "Mac Roman": "café".encode("mac_roman"),
    "code page 437": "café".encode("cp437"),
    "Windows-1251": "Хорошо".encode("cp1251"),
    "KOI8-R": "Хорошо".encode("koi8_r"),
    "Windows-1256": "جيد".encode("cp1256"),
    "Shift JIS": "面白い".encode("shift_jis"),
    "EUC-JP": "面白い".encode("euc_jp"),
    "GB18030": "很好".encode("gb18030"),
    "Big5": "很好".encode("big5"),
    "EUC-KR": "좋아요".encode("euc_kr"),
}

_BROKEN = {
    "a continuation byte alone": b"Nice\x80.",
    "a character cut short": b"caf\xc3.",
    "an emoji cut short": "🎬".encode()[:3],
    "an overlong slash": b"a\xc0\xafb",
    "a NUL in two bytes": b"a\xc0\x80b",
    "a surrogate in three bytes": b"a\xed\xa0\x80b",
    "a surrogate pair in six bytes": b"\xed\xa0\xbd\xed\xb8\x80",
    "a character above U+10FFFF": b"\xf4\x90\x80\x80",
    "a character of five bytes": b"\xf8\x88\x80\x80\x80",
    "bytes that UTF-8 never has": b"\xfe\xff",
    "UTF-8 and Latin-1 mixed": "café ".encode() + "café".encode("latin-1"),
}

_FINE = {
    "UTF-7": b"Nice+AKA-and good",
    "UTF-8 taken for Latin-1": "cafÃ©".encode(),
    "UTF-8 taken for Windows-1252": "donâ€™t".encode(),
    "quoted-printable": b"caf=C3=A9",
    "HTML entities": b"caf&eacute;",
}

TEXTS = [
    *((f"text in {name}", data, NOT_UTF8) for name, data in _FOREIGN.items()),
    *((f"text with {name}", data, NOT_UTF8) for name, data in _BROKEN.items()),
    *((f"text in {name}", data, SCORED) for name, data in _FINE.items()),
]
"""Name, bytes and outcome of texts, which formats put into their records."""

JSON = [
    BadRecord(f"{name}, JSON", b'{"id": "%s", "text": "%s"}' % (name.encode(), text), outcome, name)
    for name, text, outcome in TEXTS
]
"""The same in JSON."""
