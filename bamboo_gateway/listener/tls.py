"""TLS on our own sockets: one context, made anew when the certificate is."""

from __future__ import annotations

import ssl

from ..config import GatewayConfig
from ..errors import ConfigError


def make_context(config: GatewayConfig) -> ssl.SSLContext | None:
    """
    Read the certificate and the key that *config* names; None: it names none.

    Raises:
        ConfigError: They cannot be read, or do not belong together.
    """
    if config.tls_cert is None:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.set_alpn_protocols(["http/1.1"])  # a browser would choose HTTP/2, which knows no upgrade
    try:
        # Without the function, OpenSSL would ask for a passphrase at the terminal, and wait.
        context.load_cert_chain(config.tls_cert, config.tls_key, password=_refuse_passphrase)
    except ssl.SSLError as error:
        raise ConfigError(
            f"tls_cert: {config.tls_cert} and its key are no PEM files that belong together, "
            f"or have a passphrase: {error.reason or error}"
        ) from None
    except OSError as error:
        name = config.tls_cert if config.tls_key is None else f"{config.tls_cert} or {config.tls_key}"
        raise ConfigError(f"tls_cert: {name}: {error.strerror}") from None
    return context


def _refuse_passphrase() -> str:
    return ""
