"""Signing in at an OpenID provider (OpenID Connect Core 1.0): the code flow with PKCE (RFC 7636),
state and nonce, by Authlib. What is under way is in a sealed cookie of ten minutes, no longer."""

import json
import logging
import warnings
from datetime import timedelta
from pathlib import Path
from typing import Any, Final, NamedTuple

from fastapi import Request, Response

from traverse_schemas.clock import Clock, SystemClock
from traverse_search_api.access.sealed import seal, unseal
from traverse_search_api.accounts.account import Identity
from traverse_search_api.accounts.errors import ProviderError
from traverse_search_api.settings import SearchSettings

_LOG = logging.getLogger(__name__)
_UNDER_WAY: Final = timedelta(minutes=10)
_NAME: Final = "fournisseur"


class Claims(NamedTuple):
    """What the provider says: who it is, and the address where it vouches for it."""

    identity: Identity
    email: str
    verified: bool


class Provider:
    """The provider at which people sign in. `issuer` is its address, without the well-known path
    (OpenID Connect Discovery 1.0); `redirect` is where it sends people back to."""

    def __init__(
        self,
        *,
        issuer: str,
        client_id: str,
        client_secret: str,
        redirect: str,
        name: str,
        key: bytes,
        clock: Clock | None = None,
    ) -> None:
        self.name = name
        self._issuer = issuer
        self._redirect = redirect
        self._key = b"openid " + key
        self._clock = clock or SystemClock()
        self._tls = redirect.startswith("https://")
        self._cookie = ("__Host-" if self._tls else "") + "traverse-fournisseur"
        self._client = _registry().register(
            _NAME,
            client_id=client_id,
            client_secret=client_secret or None,
            server_metadata_url=f"{issuer.rstrip('/')}/.well-known/openid-configuration",
            client_kwargs={
                "scope": "openid email profile",
                "code_challenge_method": "S256",
                "timeout": 10,
            },
        )

    @staticmethod
    def of(settings: SearchSettings) -> "Provider | None":
        """The provider of the settings; None where there is none. Raises ProviderError when its
        secret cannot be read."""
        if not settings.oidc_issuer:
            return None
        return Provider(
            issuer=settings.oidc_issuer,
            client_id=settings.oidc_client_id,
            client_secret=_secret(settings.oidc_client_secret_file),
            redirect=f"{settings.public_address}/connexion/retour",
            name=settings.oidc_name,
            key=settings.session_key.get_secret_value().encode(),
        )

    async def send_away(self, request: Request, towards: str) -> Response:
        """Send somebody to the provider; they come back for `towards`. Raises ProviderError."""
        under_way: dict[str, Any] = {}
        request.scope["session"] = under_way
        try:
            await self._check_issuer()
            answer: Response = await self._client.authorize_redirect(request, self._redirect)
        except Exception as error:  # whatever a stranger's server makes of a question
            raise self._away(error) from error
        ends = self._clock.now() + _UNDER_WAY
        payload = json.dumps([ends.timestamp(), towards, under_way]).encode()
        answer.set_cookie(
            self._cookie,
            seal(payload, self._key),
            max_age=int(_UNDER_WAY.total_seconds()),
            path="/",
            secure=self._tls,
            httponly=True,
            samesite="lax",  # the provider's answer is a link from another site
        )
        return answer

    async def read_back(self, request: Request) -> tuple[Claims, str]:
        """Who came back, and where they were going. State, nonce, PKCE, signature, issuer,
        audience and dates are verified. Raises ProviderError."""
        payload = unseal(request.cookies.get(self._cookie, ""), self._key)
        ends, towards, under_way = json.loads(payload) if payload else (0, "/", {})
        if ends <= self._clock.now().timestamp():
            raise ProviderError(
                "Cette connexion n’a pas été commencée ici, ou l’a été il y a trop longtemps : "
                "recommencez depuis « Se connecter »."
            )
        request.scope["session"] = under_way
        try:
            await self._check_issuer()
            token = await self._client.authorize_access_token(request)
        except Exception as error:  # state, nonce, signature, dates, or no answer at all
            raise self._away(error) from error
        said = token.get("userinfo") or {}
        if not said.get("sub"):
            raise self._away(ValueError("no id_token"))
        claims = Claims(
            Identity(issuer=self._issuer, subject=str(said["sub"])),
            str(said.get("email") or ""),
            said.get("email_verified") is True,
        )
        return claims, towards

    def forget(self, answer: Response) -> None:
        """What was under way is done."""
        answer.set_cookie(
            self._cookie, "", max_age=0, path="/", secure=self._tls, httponly=True, samesite="lax"
        )

    async def _check_issuer(self) -> None:
        """The provider must name itself as it was configured (Discovery, section 4.3)."""
        metadata = await self._client.load_server_metadata()
        if metadata.get("issuer") != self._issuer:
            raise ValueError(f"issuer is {metadata.get('issuer')!r}")

    def _away(self, error: Exception) -> ProviderError:
        _LOG.warning("openid_away cause=%r", error)
        return ProviderError(
            "Le fournisseur d’identité a refusé la connexion, ou ne répond pas comme attendu : "
            "recommencez depuis « Se connecter », ou connectez-vous avec un mot de passe."
        )


def _secret(file: Path | None) -> str:
    if file is None:
        return ""
    try:
        return file.read_text(encoding="utf-8").strip()
    except (OSError, ValueError) as error:
        raise ProviderError(
            f"TRAVERSE_OIDC_CLIENT_SECRET_FILE : le fichier {file} ne peut pas être lu : donnez "
            "celui qui contient le secret du fournisseur."
        ) from error


def _registry() -> Any:
    """Authlib's, which prefers an HTTP client that Python 3.11 cannot have, and says so each
    time."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from authlib import deprecate  # noqa: F401 -- it turns its own warnings on

        warnings.simplefilter("ignore")
        from authlib.integrations.starlette_client import OAuth

        return OAuth()
