"""SHA-2 without OpenSSL: `hashlib` loads it, and 3 MB with it, for which a server that speaks no TLS to an API server has no use."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hashlib import sha256, sha512
elif sys.version_info >= (3, 12):
    from _sha2 import sha256, sha512
else:
    from _sha256 import sha256
    from _sha512 import sha512

__all__ = ["sha256", "sha512"]
