"""JSON Web Tokens (HS256), as /users/authenticate issues them."""

import base64
import hashlib
import hmac
import json

_HEADER = {"alg": "HS256", "typ": "JWT"}


def issue(secret: bytes, subject: str, now: float, seconds: float) -> str:
    """Return a token that is valid for so many seconds from now."""
    claims = {"sub": subject, "iat": int(now), "exp": int(now + seconds)}
    signed = ".".join(_encode(json.dumps(part).encode()) for part in (_HEADER, claims))
    return f"{signed}.{_sign(secret, signed)}"


def is_valid(secret: bytes, token: str, now: float) -> bool:
    """Tell whether this secret made the token and it has not expired."""
    signed, _, signature = token.rpartition(".")
    if not hmac.compare_digest(signature.encode(), _sign(secret, signed).encode()):
        return False
    # Signed by us, so it can be read.
    payload = signed.partition(".")[2]
    claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    return bool(now < claims["exp"])


def _sign(secret: bytes, text: str) -> str:
    return _encode(hmac.digest(secret, text.encode(), hashlib.sha256))


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
