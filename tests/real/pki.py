"""Certificates for a libvirtd and its callers, made by openssl in the layout that libvirt looks for."""

import subprocess
from pathlib import Path


def make(server: Path, client: Path, stranger: Path) -> None:
    """Make a CA with a server and a client that trust it, and a stranger whom another CA vouches for."""
    ca = _authority(server)
    _certificate(ca, server, "cert.pem", "key.pem")
    client.mkdir()
    (client / "cacert.pem").write_bytes((server / "cacert.pem").read_bytes())
    _certificate(ca, client, "clientcert.pem", "clientkey.pem")
    _certificate(_authority(stranger), stranger, "clientcert.pem", "clientkey.pem")
    (stranger / "cacert.pem").write_bytes((server / "cacert.pem").read_bytes())  # it trusts the server, not the reverse


def _authority(folder: Path) -> tuple[Path, Path]:
    folder.mkdir()
    cert, key = folder / "cacert.pem", folder / "cakey.pem"
    _openssl("req", "-x509", "-nodes", "-newkey", "rsa:2048", "-subj", "/CN=ca", "-keyout", key, "-out", cert)
    own = folder / "ca.pem"
    own.write_bytes(cert.read_bytes())
    return own, key


def _certificate(ca: tuple[Path, Path], folder: Path, cert: str, key: str) -> None:
    asked = folder / "asked.pem"
    about = ("-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1")
    _openssl("req", "-nodes", "-newkey", "rsa:2048", *about, "-keyout", folder / key, "-out", asked)
    signed = ("-CA", ca[0], "-CAkey", ca[1], "-CAcreateserial", "-copy_extensions", "copy")
    _openssl("x509", "-req", "-in", asked, "-days", "2", *signed, "-out", folder / cert)


def _openssl(*words: object) -> None:
    subprocess.run(["openssl", *map(str, words)], check=True, capture_output=True)
