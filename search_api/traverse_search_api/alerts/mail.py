"""Sending e-mails over SMTP (RFC 5321), in a thread: the standard library blocks."""

import asyncio
import smtplib
import ssl
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path
from typing import Final, Literal

from traverse_schemas.errors import TraverseError

_SECONDS: Final = 30.0


class MailError(TraverseError):
    """It did not go; it may later."""


class RefusedMailError(MailError):
    """The server refuses this recipient, or this message, for good."""


@dataclass(frozen=True, slots=True)
class Mailer:
    """A server that takes e-mails; without `host` none is sent."""

    host: str
    port: int
    sender: str
    security: Literal["none", "starttls", "tls"] = "none"
    user: str = ""
    password_file: Path | None = None

    async def send(self, message: EmailMessage) -> None:
        """Send one. Raises MailError."""
        if not self.host:
            raise MailError("Aucun serveur de courriel n’est réglé (TRAVERSE_SMTP_HOST).")
        await asyncio.to_thread(self._send, message)

    def _send(self, message: EmailMessage) -> None:
        try:
            with self._connected() as server:
                server.send_message(message)
        except smtplib.SMTPRecipientsRefused as error:
            codes = [code for code, _ in error.recipients.values()]
            kind = RefusedMailError if all(code >= 500 for code in codes) else MailError
            raise kind("Le serveur de courriel refuse cette adresse.") from error
        except smtplib.SMTPResponseException as error:
            # Refused before the message was seen (greeting, sign-in) says nothing of the message.
            final = isinstance(error, smtplib.SMTPDataError) and error.smtp_code >= 500
            kind = RefusedMailError if final else MailError
            raise kind(f"Le serveur de courriel a répondu {error.smtp_code}.") from error
        except (OSError, smtplib.SMTPException) as error:
            raise MailError(
                f"Le serveur de courriel ne répond pas ({type(error).__name__})."
            ) from error

    def _connected(self) -> smtplib.SMTP:
        context = ssl.create_default_context()
        if self.security == "tls":
            server: smtplib.SMTP = smtplib.SMTP_SSL(
                self.host, self.port, timeout=_SECONDS, context=context
            )
        else:
            server = smtplib.SMTP(self.host, self.port, timeout=_SECONDS)
        try:
            if self.security == "starttls":
                server.starttls(context=context)
            if self.user and self.password_file:
                server.login(self.user, self.password_file.read_text(encoding="utf-8").strip())
        except BaseException:
            server.close()
            raise
        return server
