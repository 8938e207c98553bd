"""Certificates for a test, made by openssl; tests that need one are skipped where it is missing."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest


def self_signed(folder: Path, name: str, stem: str = "", address: str = "127.0.0.1") -> None:
    """`STEMcert.pem` and `STEMkey.pem` in this folder: a certificate for a host name and an address that vouches for itself."""
    if shutil.which("openssl") is None:
        pytest.skip("there is no openssl to make certificates with")
    new = (folder / f"{stem}cert.pem.new", folder / f"{stem}key.pem.new")
    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", str(new[1])]
    names = ["-subj", f"/CN={name}", "-addext", f"subjectAltName=DNS:{name},IP:{address}"]
    subprocess.run(["openssl", "req", "-x509", *key, "-out", str(new[0]), "-days", "2", *names], check=True, capture_output=True)
    for path in new:
        path.rename(path.with_suffix(""))
