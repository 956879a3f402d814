"""Posting over TLS: the same limits, and only to receivers whose certificate is known."""

import shutil
import socket
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from instance_ha.posting import AnsweredLate, NotAnswered, Poster

from tests.receivers import OK, Serve, drip, receiver

pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="of openssl (it is not installed)")


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for this machine, and its key in the same file."""
    file = tmp_path_factory.mktemp("tls") / "all.pem"
    about = "req -x509 -nodes -newkey rsa:2048 -days 2 -subj /CN=127.0.0.1 -addext subjectAltName=IP:127.0.0.1"
    done = subprocess.run(["openssl", *about.split(), "-keyout", "-", "-out", "-"], check=True, capture_output=True)
    file.write_bytes(done.stdout)
    return file


@contextmanager
def tls(certificate: Path, serve: Serve) -> Iterator[str]:
    """Serve over TLS in front of a receiver."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with receiver(serve, context) as url:
        yield url.replace("http://", "https://")


def trusting(certificate: Path) -> Poster:
    """Make a poster that knows the certificate."""
    return Poster(2, tls=ssl.create_default_context(cafile=str(certificate)))


def test_a_connection_over_tls_is_used_again(certificate: Path) -> None:
    seen: list[int] = []

    def serve(connection: socket.socket) -> None:
        seen.append(connection.getpeername()[1])
        connection.sendall(OK)

    with tls(certificate, serve) as url:
        poster = trusting(certificate)
        assert [poster.post(url, b"{}", {}, 5).status for _ in range(4)] == [204] * 4
    assert len(set(seen)) < 4


def test_a_receiver_with_an_unknown_certificate_gets_nothing(certificate: Path) -> None:
    got: list[int] = []
    with tls(certificate, lambda _: got.append(1)) as url, pytest.raises(NotAnswered, match="SSLError"):
        Poster(2).post(url, b"{}", {}, 5)
    assert got == []


@pytest.mark.parametrize("head", [b"HTTP/1.1 2", b"HTTP/1.1 200 OK\r\nContent-Length: 99999\r\n\r\n"])
def test_a_receiver_that_drips_over_tls_is_left_at_the_total_time_limit(certificate: Path, head: bytes) -> None:
    with tls(certificate, drip(head)) as url, pytest.raises(NotAnswered):
        trusting(certificate).post(url, b"{}", {}, 0.7)


def test_a_late_answer_over_tls_is_known_as_one(certificate: Path) -> None:
    with tls(certificate, lambda _: None) as url, pytest.raises(AnsweredLate) as late:
        trusting(certificate).post(url, b"{}", {}, 5, late_after=0.3)
    late.value.connection.close()
