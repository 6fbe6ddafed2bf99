"""`traverse institutions …`: the registry, for the operator. `membership` does, this one says."""

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from traverse_infra.errors import InfraError
from traverse_schemas.clock import SystemClock
from traverse_schemas.records.codes import INSTITUTION_KIND_LABELS, InstitutionKind
from traverse_schemas.registry.institutions import Institution, Role, Scope
from traverse_schemas.system_faults import fault

if TYPE_CHECKING:
    from collections.abc import Callable

    from traverse_infra.settings import Settings
    from traverse_schemas.registry.api_keys import NewApiKey
    from traverse_schemas.registry.institutions import SigningKey
    from traverse_schemas.registry.membership import Membership

_Siren = Annotated[str, typer.Argument(metavar="SIREN", help="Ses 9 chiffres.")]
_Json = Annotated[bool, typer.Option("--json", help="En JSON, pour les programmes.")]
_PublicKey = Annotated[
    Path | None,
    typer.Option(
        "--public-key",
        metavar="FICHIER",
        help="Sa clé publique en PEM, si l'institution garde la privée ; sinon une paire est faite "
        "ici.",
    ),
]


class InvalidMemberError(InfraError):
    """What was given of an institution cannot stand in the registry."""


def list_(json_output: _Json = False) -> None:
    """Montre les institutions du registre."""
    from traverse_infra.members import open_registry
    from traverse_schemas.registry.membership import shown

    with open_registry(_settings().kafka) as table:
        rows = sorted(table.rows().values(), key=lambda one: one.siren)
    if json_output:
        _print_json([shown(one) for one in rows])
        return
    if not rows:
        typer.echo("Le registre est vide : « traverse institutions add » l'ouvre.")
        return
    _show(rows)


def add(
    siren: _Siren,
    name: Annotated[str, typer.Option(help="Son nom, comme il se lit.")],
    kind: Annotated[InstitutionKind, typer.Option(help="Sa nature.")],
    *,
    territory: Annotated[
        str, typer.Option(metavar="CODE", help="Son territoire : com:INSEE, epci:SIREN, dep:NN…")
    ] = "",
    role: Annotated[
        list[Role] | None, typer.Option(help="Un rôle de plus que ceux de sa nature.")
    ] = None,
    contact: Annotated[str, typer.Option(help="Une adresse professionnelle.")] = "",
    delegated: Annotated[
        bool, typer.Option("--delegated", help="La passerelle signe pour elle.")
    ] = False,
    sandbox: Annotated[
        bool, typer.Option("--sandbox", help="Pour essayer : rien de ce qu'elle publie ne sort.")
    ] = False,
    public_key: _PublicKey = None,
    json_output: _Json = False,
) -> None:
    """Ajoute une institution : lui fait une clé de signature et une clé d'API."""
    from pydantic import ValidationError

    from traverse_infra.members import add_member, open_registry
    from traverse_schemas.judging.sentences import explain
    from traverse_schemas.registry.membership import new_member

    now = _now()
    try:
        newcomer = new_member(
            siren=siren,
            name=name,
            kind=kind,
            now=now,
            territory=territory or None,
            roles=role or (),
            contact=contact or None,
            delegated=delegated,
            sandbox=sandbox,
        )
    except ValidationError as error:
        raise InvalidMemberError(explain(error)[0].sentence) from None
    settings = _settings()
    given = _public_key(public_key, now)
    with open_registry(settings.kafka) as table:
        done = add_member(table, settings.keys, newcomer, now, given)
    private = str(done.private_key) if done.private_key else None
    if json_output:
        _print_json(
            {
                "siren": siren,
                "name": name,
                "kind": kind,
                "api_key": done.api_key.secret,
                "api_key_id": done.api_key.key.id,
                "private_key": private,
                "kid": done.institution.signing_keys[-1].kid,
            }
        )
        return
    typer.echo(f"{name} ({siren}) est au registre.")
    typer.echo(
        f"Clé privée de signature : {private} (à garder secrète)."
        if private
        else "L'institution garde sa clé privée."
    )
    _tell_secret(done.api_key.secret, done.api_key.key.id)


def rotate_key(
    siren: _Siren,
    *,
    overlap: Annotated[
        float, typer.Option(min=0, help="Jours pendant lesquels l'ancienne clé vaut encore.")
    ] = 7,
    api_key: Annotated[
        str,
        typer.Option("--api-key", metavar="ID", help="Change cette clé d'API, pas la signature."),
    ] = "",
    public_key: _PublicKey = None,
    json_output: _Json = False,
) -> None:
    """Donne une clé neuve ; l'ancienne vaut encore le temps de changer."""
    from traverse_infra.members import open_registry, rotate_signing_key
    from traverse_schemas.registry.membership import Membership

    settings, now, days = _settings(), _now(), timedelta(days=overlap)
    given = _public_key(public_key, now)
    with open_registry(settings.kafka) as table:
        membership = Membership(table, now)
        if api_key:
            _tell_key(siren, membership.rotate_api_key(siren, api_key, days), json_output)
            return
        path = None
        if given is not None:
            row = membership.add_signing_key(siren, given, days)
        else:
            row, path = rotate_signing_key(table, settings.keys, siren, now, days)
    said = {"siren": siren, "kid": row.signing_keys[-1].kid, "private_key": path and str(path)}
    if json_output:
        _print_json(said)
    else:
        typer.echo(
            f"La clé {said['kid']} signe désormais pour {siren} ({path or 'gardée par elle'})."
        )


def revoke(
    siren: _Siren,
    *,
    key: Annotated[
        str, typer.Option(metavar="KID", help="Révoque seulement cette clé de signature (volée).")
    ] = "",
    api_key: Annotated[
        str, typer.Option("--api-key", metavar="ID", help="Révoque seulement cette clé d'API.")
    ] = "",
    undo: Annotated[bool, typer.Option("--undo", help="Rétablit l'institution.")] = False,
    json_output: _Json = False,
) -> None:
    """Révoque une institution, ou une de ses clés : à l'instant, sans redémarrage."""

    if undo and (key or api_key):
        raise InvalidMemberError(
            "Une clé révoquée ne se rétablit pas : faites-en une autre (« traverse institutions "
            "rotate-key », ou « api-key »)."
        )

    def change(membership: "Membership") -> Institution:
        if key:
            return membership.revoke_signing_key(siren, key)
        if api_key:
            return membership.revoke_api_key(siren, api_key)
        return membership.restore(siren) if undo else membership.revoke(siren)

    _change(change, json_output)


def open_(siren: _Siren, *, json_output: _Json = False) -> None:
    """Met fin à l'essai : ce que l'institution publie désormais est publié pour de bon."""
    _change(lambda membership: membership.open(siren), json_output)


def quota(
    siren: _Siren,
    *,
    per_minute: Annotated[
        int | None, typer.Option(min=0, help="Événements par minute ; 0 : le débit de tous.")
    ] = None,
    per_day: Annotated[
        int | None, typer.Option(min=0, help="Événements par jour ; 0 : sans limite.")
    ] = None,
    json_output: _Json = False,
) -> None:
    """Fixe ce que la passerelle prend d'une institution ; ce qui n'est pas dit reste.

    Sans option, le montre.
    """
    from traverse_infra.members import open_registry
    from traverse_schemas.registry.institution_changes import require_known
    from traverse_schemas.registry.institutions import Quota
    from traverse_schemas.registry.membership import Membership, shown

    def chosen(known: Quota) -> Quota:
        return Quota(
            events_per_minute=known.events_per_minute if per_minute is None else per_minute or None,
            events_per_day=known.events_per_day if per_day is None else per_day or None,
        )

    with open_registry(_settings().kafka) as table:
        row = require_known(siren, table.get(siren))
        if chosen(row.quota) != row.quota:
            row = Membership(table, _now()).set_quota(siren, chosen)
    if json_output:
        _print_json(shown(row))
        return
    minute, day = row.quota.events_per_minute, row.quota.events_per_day
    typer.echo(
        f"La passerelle prend de {row.name} "
        + (f"{minute} événements par minute" if minute else "autant par minute que de tous")
        + (f", {day} par jour." if day else ", sans limite par jour.")
    )


def permanences(
    siren: _Siren,
    *,
    address: Annotated[
        str,
        typer.Option(
            metavar="URL",
            help="Adresse publique de son calendrier (iCalendar, https) ; vide : elle est retirée, "
            "et ce que l'institution a publié elle-même aussi.",
        ),
    ] = "",
    json_output: _Json = False,
) -> None:
    """Dit où l'institution publie ses permanences, que montre la « Fiche de visite »."""
    from pydantic import ValidationError

    try:
        _change(lambda membership: membership.set_permanences(siren, address or None), json_output)
    except ValidationError:
        raise InvalidMemberError(
            f"« {address[:80]} » n'est pas l'adresse d'un calendrier : donnez-la en https://, sans "
            "espace ni lettre accentuée."
        ) from None
    if not address:
        from traverse_infra.reading_tables import read_whole
        from traverse_search_api.permanences.published import published_table

        with read_whole(published_table(_settings().kafka)) as table:
            if table.get(siren) is not None:
                table.delete(siren)


def delegate(
    siren: _Siren,
    *,
    undo: Annotated[bool, typer.Option("--undo", help="Reprend la délégation.")] = False,
    json_output: _Json = False,
) -> None:
    """Laisse la passerelle signer pour l'institution (« attesté par la passerelle »)."""
    _change(lambda membership: membership.delegate(siren, delegated=not undo), json_output)


def role(
    siren: _Siren,
    role: Annotated[Role, typer.Argument(metavar="ROLE", help="buyer, gateway ou administrator.")],
    *,
    undo: Annotated[bool, typer.Option("--undo", help="Reprend ce rôle.")] = False,
    json_output: _Json = False,
) -> None:
    """Donne à une institution du registre un rôle de plus que ceux de sa nature."""
    _change(lambda membership: membership.set_role(siren, role, held=not undo), json_output)


def showcase(
    siren: _Siren,
    site: Annotated[
        list[str] | None, typer.Argument(metavar="SITE", help="https://www.exemple.fr, …")
    ] = None,
    *,
    close: Annotated[bool, typer.Option("--close", help="Ne l'ouvre plus à aucun site.")] = False,
    json_output: _Json = False,
) -> None:
    """Ouvre la vitrine de l'institution à ces sites, et à eux seuls ; sans SITE, les montre."""
    from traverse_infra.members import open_registry
    from traverse_infra.reading_tables import read_whole
    from traverse_schemas.registry.institution_changes import require_known
    from traverse_search_api.institutions.showcases import Showcase, origins_typed, showcases_table

    kafka = _settings().kafka
    wanted = Showcase(origins=origins_typed("\n".join(site or ())))
    with open_registry(kafka) as registry:
        require_known(siren, registry.get(siren))
    with read_whole(showcases_table(kafka)) as table:
        if site or close:
            table.put(siren, wanted)
        known = table.get(siren) or Showcase()
    if json_output:
        _print_json({"siren": siren, "origins": list(known.origins)})
        return
    for one in known.origins:
        typer.echo(one)
    if not known.origins:
        typer.echo("Aucun site ne peut montrer cette vitrine.")


def api_key(
    siren: _Siren,
    *,
    scope: Annotated[
        list[Scope] | None, typer.Option(help="Ce que la clé permet ; par défaut publish et read.")
    ] = None,
    label: Annotated[str, typer.Option(help="À quoi elle sert.")] = "",
    days: Annotated[float, typer.Option(min=0, help="Jours de validité ; 0 : sans fin.")] = 0,
    json_output: _Json = False,
) -> None:
    """Donne une clé d'API de plus, montrée une seule fois."""
    from traverse_infra.members import open_registry
    from traverse_schemas.registry.membership import Membership

    scopes = scope or [Scope.PUBLISH, Scope.READ]
    with open_registry(_settings().kafka) as table:
        membership = Membership(table, _now())
        new = membership.add_api_key(siren, scopes, label=label, days=days)
    _tell_key(siren, new, json_output)


def keys(
    siren: Annotated[str, typer.Argument(metavar="SIREN", help="Une seule institution.")] = "",
) -> None:
    """Les clés publiques (JWK Set, RFC 7517), pour vérifier qui a dit quoi."""
    from traverse_infra.members import open_registry
    from traverse_schemas.registry.key_set import key_set
    from traverse_schemas.registry.registry import RegistryView

    with open_registry(_settings().kafka) as table:
        _print_json(key_set(RegistryView(table.rows().values()), siren or None))


def _change(change: "Callable[[Membership], Institution]", json_output: bool) -> None:
    from traverse_infra.members import open_registry
    from traverse_schemas.registry.membership import Membership, shown

    with open_registry(_settings().kafka) as table:
        row = change(Membership(table, _now()))
    if json_output:
        _print_json(shown(row))
    else:
        _show([row])


def _public_key(path: Path | None, now: datetime) -> "SigningKey | None":
    if path is None:
        return None
    from traverse_schemas.signing.signatures import public_key_of

    try:
        return public_key_of(path.read_bytes(), now)
    except OSError as error:
        raise InvalidMemberError(
            f"Le fichier {path} est illisible ({fault(error)}) : donnez la clé publique en PEM."
        ) from error


def _show(rows: list[Institution]) -> None:
    from rich.console import Console
    from rich.table import Table

    now = _now()
    table = Table("SIREN", "Nom", "Nature", "État", "Clés de signature", "Clés d'API")
    for one in rows:
        state = "active" if one.active(now) else "révoquée"
        marks = [
            state,
            *(["passerelle"] if one.delegated else []),
            *(["essai"] if one.tries(now) else []),
        ]
        table.add_row(
            one.siren,
            one.name,
            INSTITUTION_KIND_LABELS[one.kind],
            ", ".join(marks),
            "\n".join(f"{key.kid[:8]} {_fate(key, now)}" for key in one.signing_keys),
            "\n".join(f"{each.id} {_fate(each, now)}" for each in one.api_keys),
        )
    Console().print(table)


def _fate(key: Any, now: datetime) -> str:
    if key.revoked_at is not None and key.revoked_at <= now:
        return "révoquée"
    end = getattr(key, "valid_to", None) or getattr(key, "expires", None)
    return "" if end is None else f"jusqu'au {end:%d/%m/%Y %H:%M}"


def _tell_key(siren: str, new: "NewApiKey", json_output: bool) -> None:
    if json_output:
        _print_json({"siren": siren, "api_key": new.secret, "api_key_id": new.key.id})
    else:
        _tell_secret(new.secret, new.key.id)


def _tell_secret(secret: str, key_id: str) -> None:
    typer.echo(f"Clé d'API {key_id} (montrée une seule fois) : {secret}")


def _print_json(value: object) -> None:
    typer.echo(json.dumps(value, ensure_ascii=False, indent=2))


def _settings() -> "Settings":
    from traverse_infra.commands.engines import load_settings

    return load_settings()


def _now() -> datetime:
    return SystemClock().now()
