from __future__ import annotations

import ssl
from pathlib import Path

import pytest
import trustme

from bamboo_gateway.config import GatewayConfig
from bamboo_gateway.errors import ConfigError
from bamboo_gateway.listener.tls import make_context


def certificate(folder: Path, name: str = "127.0.0.1") -> tuple[str, str]:
    """A certificate and its key, as files."""
    made = trustme.CA().issue_cert(name)
    cert, key = folder / f"{name}.pem", folder / f"{name}.key"
    made.cert_chain_pems[0].write_to_path(cert)
    made.private_key_pem.write_to_path(key)
    return str(cert), str(key)


def test_without_a_certificate_there_is_no_tls() -> None:
    """TLS is asked for by naming one."""
    assert make_context(GatewayConfig()) is None


def test_a_certificate_and_its_key(tmp_path: Path) -> None:
    """In two files, or in one; nothing older than TLS 1.2."""
    cert, key = certificate(tmp_path)
    both = tmp_path / "both.pem"
    both.write_text(Path(cert).read_text() + Path(key).read_text())
    for config in (GatewayConfig(tls_cert=cert, tls_key=key), GatewayConfig(tls_cert=str(both))):
        context = make_context(config)
        assert context is not None
        assert context.minimum_version >= ssl.TLSVersion.TLSv1_2


def test_what_cannot_be_used_is_named(tmp_path: Path) -> None:
    """A file that is not there, that is no PEM, a foreign key, a passphrase: one error, at once."""
    cert, key = certificate(tmp_path)
    _, foreign = certificate(tmp_path, "localhost")
    junk = tmp_path / "junk.pem"
    junk.write_text("no certificate")
    for config in (
        GatewayConfig(tls_cert=str(tmp_path / "none.pem")),
        GatewayConfig(tls_cert=cert, tls_key=foreign),
        GatewayConfig(tls_cert=str(junk), tls_key=key),
        GatewayConfig(tls_cert=cert),
    ):
        with pytest.raises(ConfigError, match=r"^tls_cert: /"):
            make_context(config)


def test_a_key_alone_is_refused() -> None:
    """It would be silently ignored otherwise."""
    with pytest.raises(ConfigError, match=r"^tls_key: "):
        GatewayConfig(tls_key="key.pem")
