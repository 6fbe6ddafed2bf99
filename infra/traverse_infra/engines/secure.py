"""What a secure home keeps: an authority, the engines' certificate, a password for each account.

Made once, in files that their owner alone reads; whoever starts the engines again finds the same.
"""

import secrets
from base64 import b64encode
from datetime import UTC, datetime, timedelta
from hashlib import pbkdf2_hmac
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from traverse_infra.access_rules import ACCOUNTS, OPERATOR, SEARCH, SEARCH_MEMBERS
from traverse_infra.private_file import write_private
from traverse_schemas.log.engine_access import EngineAccess

BROKER = "traverse-broker"
"""The name in the engines' certificate: Kafka's controller knows the broker by it."""
_VALID = timedelta(days=3650)
SCRAM_ITERATIONS = 8192
_PBKDF2_ITERATIONS = 10_000


class Secrets:
    """The secrets of one folder, made when they are not there."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.ca = folder / "ca.pem"
        self.certificate = folder / "engines.pem"
        self.key = folder / "engines.key"

    def ensure(self) -> None:
        """Make what is missing."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        for account in ACCOUNTS:
            file = self.password_file(account)
            if not file.exists():
                write_private(file, secrets.token_urlsafe(24).encode())
        if not all(file.exists() for file in (self.ca, self.certificate, self.key)):
            self._certificates()

    def password_file(self, account: str) -> Path:
        """The file with an account's password."""
        return self.folder / f"{account}.password"

    def password(self, account: str) -> str:
        """An account's password."""
        return self.password_file(account).read_text(encoding="ascii")

    def access(self, account: str = OPERATOR) -> EngineAccess:
        """What a client of that account is made with."""
        return EngineAccess(
            kafka_security="SASL_SSL",
            kafka_user=account,
            kafka_password_file=self.password_file(account),
            kafka_ca=self.ca,
            elasticsearch_user=account,
            elasticsearch_password_file=self.password_file(account),
            elasticsearch_ca=self.ca,
            **self._for_members(account),
        )

    def _for_members(self, account: str) -> dict[str, Any]:
        """The search answers members by an account that reads more than its own."""
        if account != SEARCH:
            return {}
        return {
            "elasticsearch_members_user": SEARCH_MEMBERS,
            "elasticsearch_members_password_file": self.password_file(SEARCH_MEMBERS),
        }

    def environment(self, account: str) -> dict[str, str]:
        """The same as environment variables; no secret is in them, only where it is."""
        settings = self.access(account).model_dump(mode="json", exclude_none=True)
        return {f"TRAVERSE_{name.upper()}": value for name, value in settings.items()}

    def scram(self, account: str) -> str:
        """The account for Kafka's StorageTool (RFC 5802): salted, so that no list of processes
        shows a password."""
        salt = secrets.token_bytes(32)
        password = self.password(account).encode()
        salted = pbkdf2_hmac("sha512", password, salt, SCRAM_ITERATIONS)
        return (
            f"SCRAM-SHA-512=[name={account},iterations={SCRAM_ITERATIONS},"
            f'salt="{b64encode(salt).decode()}",saltedpassword="{b64encode(salted).decode()}"]'
        )

    def elasticsearch_hash(self, account: str) -> str:
        """The account's password in the form of Elasticsearch's `users` file (PBKDF2)."""
        salt = secrets.token_bytes(32)
        digest = pbkdf2_hmac(
            "sha512", self.password(account).encode(), salt, _PBKDF2_ITERATIONS, dklen=32
        )
        parts = (b64encode(salt).decode(), b64encode(digest).decode())
        return f"{{PBKDF2}}{_PBKDF2_ITERATIONS}${'$'.join(parts)}"

    def _certificates(self) -> None:
        """An authority of this home's own, which signs one certificate and is then forgotten: its
        key is never written."""
        now = datetime.now(UTC)
        authority, engines = (
            ec.generate_private_key(ec.SECP256R1()),
            ec.generate_private_key(ec.SECP256R1()),
        )
        issuer = _name("Traverse, moteurs locaux")
        ca = (
            _certificate(issuer, issuer, authority.public_key(), now)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .sign(authority, hashes.SHA256())
        )
        hosts = [x509.DNSName("localhost"), x509.IPAddress(ip_address("127.0.0.1"))]
        usages = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
        certificate = (
            _certificate(_name(BROKER), issuer, engines.public_key(), now)
            .add_extension(x509.SubjectAlternativeName(hosts), critical=False)
            .add_extension(x509.ExtendedKeyUsage(usages), critical=False)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .sign(authority, hashes.SHA256())
        )
        key = engines.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        write_private(self.key, key)
        write_private(self.certificate, certificate.public_bytes(Encoding.PEM))
        write_private(self.ca, ca.public_bytes(Encoding.PEM))


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _certificate(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, now: datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + _VALID)
    )
