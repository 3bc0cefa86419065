"""Bytes of text files become UTF-8, whatever program wrote them; what is not text is described."""

import codecs
import io
import re
from typing import BinaryIO, Iterator, Tuple, cast

# Byte order marks, and the encodings that they name; a mark of UTF-32 begins with one of UTF-16.
_MARKS = {
    codecs.BOM_UTF8: "utf-8",
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
# Ctrl-Z, which programs of DOS write after the last line.
_END = b"\x1a"
# What is read in place of bytes that cannot be decoded: UTF-8 refuses it too.
_UNDECODED = "\udcff"
_WORD = re.compile(r"[\w’'-]+")


class _Recoder(io.RawIOBase):
    """The UTF-8 bytes of a stream in another encoding."""

    def __init__(self, stream: BinaryIO, encoding: str) -> None:
        self._stream, self._rest = stream, b""
        self._decoder = codecs.getincrementaldecoder(encoding)("surrogatepass")

    def readable(self) -> bool:
        """See `io.RawIOBase`."""
        return True

    def readinto(self, buffer: bytearray) -> int:  # type: ignore[override]  # any buffer
        """See `io.RawIOBase`."""
        block = b"-"
        while block and not self._rest:
            block = self._stream.read(1 << 16)
            try:
                text = self._decoder.decode(block, final=not block)
            except UnicodeDecodeError:
                self._decoder.reset()
                text = _UNDECODED
            self._rest = text.encode("utf8", "surrogatepass")
        size = min(len(buffer), len(self._rest))
        buffer[:size], self._rest = self._rest[:size], self._rest[size:]
        return size


def open_utf8(stream: BinaryIO) -> BinaryIO:
    """Read a stream as UTF-8, in whatever encoding its byte order mark names, without the mark."""
    if not hasattr(stream, "peek"):
        stream = cast(BinaryIO, io.BufferedReader(stream))
    start: bytes = stream.peek(4)  # type: ignore[attr-defined]
    mark = next((mark for mark in _MARKS if start.startswith(mark)), None)
    if mark == codecs.BOM_UTF8:
        stream.read(len(mark))
    elif mark is not None:
        return cast(BinaryIO, io.BufferedReader(_Recoder(stream, _MARKS[mark])))
    return stream


def number_lines(stream: BinaryIO) -> Iterator[Tuple[int, bytes]]:
    """Yield the lines of a stream in UTF-8 with their numbers, from 1, without a Ctrl-Z at the end."""
    for number, line in enumerate(open_utf8(stream), start=1):
        if not line.endswith(b"\n"):
            line = line.removesuffix(_END)
        if line:
            yield number, line


def decode(data: bytes) -> str:
    """Decode a whole file. RAISES (UnicodeDecodeError): If it is no UTF-8 and has no byte order mark."""
    return open_utf8(io.BytesIO(data)).read().removesuffix(_END).decode("utf8")


def describe_bytes(error: UnicodeDecodeError, *, first: int = 1) -> Tuple[int, str]:
    """Describe bytes that are not UTF-8, with a word as the encoding of Windows has it.

    first (int): The number of the first line.
    RETURNS (Tuple[int, str]): The number of the line, and what is wrong.
    """
    begin = error.object.rfind(b"\n", 0, error.start) + 1
    line, byte = error.object[begin:].partition(b"\n")[0], error.start - begin
    what = f"not UTF-8 text (byte {byte + 1} of the line: {error.reason})"
    text = line.decode("cp1252", "replace")
    word = next((match.group() for match in _WORD.finditer(text) if match.start() <= byte < match.end()), "")
    if word and "\ufffd" not in word and 2 * sum(each > "\x7f" for each in word) <= len(word):
        what += f"; as Windows-1252 it says {word!r}: save the file as UTF-8"
    return first + error.object.count(b"\n", 0, begin), what
