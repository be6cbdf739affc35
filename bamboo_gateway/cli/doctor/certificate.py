"""Do the certificate and its key belong together, and for how long do they hold?"""

from __future__ import annotations

import ssl
import stat
import time
from contextlib import suppress
from pathlib import Path
from typing import Literal, TypeAlias

import attrs

from ...config import GatewayConfig
from ...errors import ConfigError
from ...listener import tls
from .finding import Finding, fault, warning, well

_ABOUT = "certificate"

_SOON = 14 * 86400.0
"""Seconds before its end from which on somebody should see to it."""

_EXPIRED, _NOT_YET = 10, 9
"""OpenSSL's X509_V_ERR_CERT_HAS_EXPIRED and X509_V_ERR_CERT_NOT_YET_VALID."""

Validity: TypeAlias = Literal["valid", "expired", "not yet valid"]


@attrs.frozen(kw_only=True)
class CertificateSurvey:
    """A certificate that a gateway would take."""

    validity: Validity
    expires_at: float | None = None
    """Unix seconds; None: nobody can tell."""
    is_key_open: bool = False
    """May others read the key?"""


def judge(path: str, found: CertificateSurvey, now: float) -> Finding:
    """Tell how long it holds."""
    if found.validity == "expired":
        return fault(
            _ABOUT, f"{path} has expired", "renew it; a gateway that runs takes the new one at SIGHUP"
        )
    if found.validity == "not yet valid":
        return fault(_ABOUT, f"{path} is not valid yet", "see whether this machine's clock is right")
    if found.is_key_open:
        return warning(_ABOUT, f"others may read the key of {path}", "chmod 600 it")
    if found.expires_at is None:
        return well(_ABOUT, f"{path} can be used")
    days = int((found.expires_at - now) / 86400)
    if found.expires_at - now < _SOON:
        text = f"{path} expires in {days} days"
        return warning(_ABOUT, text, "renew it; a gateway that runs takes the new one at SIGHUP")
    return well(_ABOUT, f"{path} holds for {days} days")


def look(config: GatewayConfig) -> Finding:
    """Use it as a gateway would, and look at what a client would be shown."""
    path = config.tls_cert
    assert path is not None, "there is one to look at"
    try:
        context = tls.make_context(config)
    except ConfigError as error:
        return fault(
            _ABOUT, str(error), "name a PEM file that this user may read, and its key without a passphrase"
        )
    assert context is not None, "a certificate makes one"
    try:
        found = _shake_hands(context, path)
    except (ssl.SSLError, OSError, ValueError) as error:
        return warning(
            _ABOUT, f"{path} can be used; how long it holds cannot be told: {error}", "see for yourself"
        )
    key = Path(config.tls_key or path)
    is_open = bool(key.stat().st_mode & stat.S_IROTH)
    return judge(path, attrs.evolve(found, is_key_open=is_open), time.time())


def _shake_hands(server_context: ssl.SSLContext, path: str) -> CertificateSurvey:
    """
    Have a client in this process meet the certificate, which trusts nothing but that.

    So the standard library tells what is in it, and OpenSSL whether it has expired.
    """
    client_context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client_context.check_hostname = False
    client_context.verify_flags = ssl.VERIFY_X509_PARTIAL_CHAIN
    client_context.load_verify_locations(path)
    to_client, to_server = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = client_context.wrap_bio(to_client, to_server)
    server = server_context.wrap_bio(to_server, to_client, server_side=True)
    try:
        for _ in range(4):  # flights of a handshake, and one to spare
            for side in (client, server):
                with suppress(ssl.SSLWantReadError):
                    side.do_handshake()
    except ssl.SSLCertVerificationError as error:
        if error.verify_code in (_EXPIRED, _NOT_YET):
            return CertificateSurvey(validity="expired" if error.verify_code == _EXPIRED else "not yet valid")
        raise
    shown = client.getpeercert() or {}
    expires = shown.get("notAfter")
    return CertificateSurvey(
        validity="valid", expires_at=ssl.cert_time_to_seconds(expires) if isinstance(expires, str) else None
    )
