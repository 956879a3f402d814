"""Tells from the bytes of a request whether its head has arrived, and whether all of it has."""

import re
from dataclasses import dataclass, field

HEAD_LIMIT = 65536  # bytes of a request line and all headers
_CHUNK_LINE = 256  # bytes of the line before a chunk
_OVERHEAD = 65536  # bytes by which the chunked form of a body may be larger than the body


@dataclass(frozen=True)
class Refusal:
    """A request that is not served."""

    code: int
    reason: str


_MALFORMED = Refusal(400, "the request is malformed")


@dataclass
class Arrival:
    """What has arrived of one request. What it cannot read it lets pass: the server reads it again."""

    body_limit: int
    data: bytearray = field(default_factory=bytearray)
    complete: bool = False
    continue_expected: bool = False  # the client waits for "100 Continue" before it sends the body
    _body: int | None = None  # where the body begins
    _length: int | None = None  # of the body; None: it is chunked
    _next: int = 0  # where the next chunk begins
    _chunks: int = 0  # bytes of all chunks so far

    def feed(self, data: bytes) -> Refusal | None:
        """Take bytes; ``complete`` tells whether they were the last."""
        self.data += data
        if self._body is None:
            refusal = self._read_head()
            if refusal is not None or self._body is None:
                return refusal
        if self._length is None:
            return self._read_chunks()
        self.complete = len(self.data) - self._body >= self._length
        return None

    @property
    def head(self) -> bytes | None:
        """The request line and the headers, when all of them have arrived."""
        return None if self._body is None else bytes(self.data[: self._body])

    def _read_head(self) -> Refusal | None:
        end = self.data.find(b"\r\n\r\n", 2 if self.data.startswith(b"\r\n") else 0)
        if max(end, 0 if end >= 0 else len(self.data)) > HEAD_LIMIT:
            return Refusal(431, f"the headers are larger than {HEAD_LIMIT} bytes")
        if end < 0:
            return None
        self._body = self._next = end + 4
        head = bytes(self.data[: end + 2]).lower()
        lengths = re.findall(rb"\r\ncontent-length[ \t]*:[ \t]*([^\r\n]*?)[ \t]*(?=\r\n)", head)
        chunked = re.search(rb"\r\ntransfer-encoding[ \t]*:", head) is not None
        self.continue_expected = re.search(rb"\r\nexpect[ \t]*:[ \t]*100-continue", head) is not None
        if len(lengths) > 1 or (lengths and chunked) or not all(re.fullmatch(rb"[0-9]{1,19}", one) for one in lengths):
            return _MALFORMED
        self._length = None if chunked else int(lengths[0]) if lengths else 0
        return self._too_large(self._length or 0)

    def _read_chunks(self) -> Refusal | None:
        assert self._body is not None
        while self._next <= len(self.data):
            if self._next > self._body and self.data[self._next - 2 : self._next] != b"\r\n":
                return _MALFORMED
            end = self.data.find(b"\r\n", self._next)
            if end < 0 and len(self.data) - self._next > _CHUNK_LINE:
                return _MALFORMED
            if end < 0:
                break
            size = re.fullmatch(rb"([0-9a-fA-F]{1,16})[ \t]*(;.*)?", self.data[self._next : end])
            if size is None:
                return _MALFORMED
            if int(size[1], 16) == 0:
                self.complete = self.data.find(b"\r\n\r\n", end) >= 0
                break
            self._chunks += int(size[1], 16)
            self._next = end + 2 + int(size[1], 16) + 2
        return self._too_large(self._chunks)

    def _too_large(self, size: int) -> Refusal | None:
        arrived = len(self.data) - (self._body or 0)
        if size > self.body_limit or (self._length is None and arrived > self.body_limit + _OVERHEAD):
            return Refusal(413, f"the request body is larger than {self.body_limit} bytes")
        return None
