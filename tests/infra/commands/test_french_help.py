"""The command line speaks French to who mistypes, asks for help, or is asked to confirm."""

import re
import sys
from importlib import metadata
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from traverse_infra import cli
from traverse_infra.commands import accounts as commands_accounts
from traverse_infra.commands.tree import build
from traverse_producers.confirming import confirmed

ENGLISH = re.compile(
    r"Usage|Error|Try |for help|Show this|No such|Missing|Invalid|default|required|should"
    r"|\b(?:COMMAND|FILE|QUERY|NUMBER|KIND|SYSTEM|range|list\[)\b|[<>]"
)


def told(monkeypatch: pytest.MonkeyPatch, *words: str) -> object:
    """The exit code of a command line."""
    monkeypatch.setattr(sys, "argv", ["traverse", *words])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    return ended.value.code


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("serch", "voirie"), "La commande serch n'existe pas : « traverse --help »"),
        (("institutions", "ad"), "La commande ad n'existe pas : « traverse institutions --help »"),
        (("search", "--teritory", "dep:13"), "L'option --teritory n'existe pas (est-ce --terr"),
        (("search", "voirie", "--size"), "L'option --size demande une valeur"),
        (("search", "voirie", "--size", "dix"), "--size est refusé : il doit être un nombre"),
        (("search", "voirie", "--size", "500"), "--size est refusé : il doit être inférieur"),
        (("search", "travaux", "de", "voirie"), "« de voirie » est de trop : mettez entre"),
        (("template",), "Il manque NATURE : « traverse template --help »"),
        (("institutions", "add", "211300553", "--name", "X"), "Il manque --kind"),
        (
            ("institutions", "add", "211300553", "--name", "X", "--kind", "ville"),
            "--kind est refusé : choisissez parmi region, department",
        ),
    ],
)
def test_a_mistyped_line_is_one_french_sentence_that_says_how_to_mend_it(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    words: tuple[str, ...],
    said: str,
) -> None:
    assert told(monkeypatch, *words) == 2
    line = capsys.readouterr().err
    assert line.startswith("Erreur : ")
    assert said in line
    assert line.count("\n") == 1
    assert not ENGLISH.search(line)


def names(command: Any, path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    """Every command of the tree, by the words that call it."""
    found = [path]
    for name, one in command.commands.items():
        under = isinstance(one, typer.core.TyperGroup)
        found += names(one, (*path, name)) if under else [(*path, name)]
    return found


@pytest.mark.parametrize("words", names(typer.main.get_group(build())), ids=" ".join)
def test_the_help_of_every_command_is_in_french(words: tuple[str, ...]) -> None:
    helped = CliRunner().invoke(build(), [*words, "--help"])
    assert helped.exit_code == 0
    assert helped.output.startswith("Emploi : ")
    assert "Montre cette aide." in helped.output
    assert not ENGLISH.search(helped.output)


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        (("search",), r"--size NOMBRE +Nombre de résultats\.  \[par défaut : 20; de 1 à 100\]"),
        (("search",), r"--as-of DATE "),
        (("search",), r"--territory TEXTE "),
        (("search",), r"--api-key-file FICHIER "),
        (("train",), r"--data DOSSIER "),
        (("bench",), r"--seconds NOMBRE "),
        (("work",), r"--step all\|validate\|index\|check\|notify\n"),
        (("institutions", "add"), r"--role buyer\|gateway\|administrator\n"),
        (("institutions", "add"), r"SIREN  Ses 9 chiffres"),
        (("publish",), r"FICHIER +Événements en JSON"),
    ],
)
def test_help_says_what_is_to_be_typed_as_people_call_it(
    words: tuple[str, ...], shown: str
) -> None:
    assert re.search(shown, CliRunner().invoke(build(), [*words, "--help"]).output)


def test_the_version_is_that_of_the_package() -> None:
    told = CliRunner().invoke(build(), ["--version"])
    assert told.exit_code == 0
    assert told.output == f"traverse {metadata.version('traverse')}\n"


def test_a_command_that_has_others_under_it_shows_them_when_it_is_named_alone(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert told(monkeypatch, "institutions") == 2
    shown = capsys.readouterr().err
    assert shown.startswith("Emploi : ")
    assert "rotate-key" in shown


@pytest.mark.parametrize(
    ("answer", "yes"), [("o", True), ("Oui", True), ("y", True), ("n", False), ("", False)]
)
def test_yes_is_said_in_french_and_everything_else_is_no(answer: str, yes: bool) -> None:
    app = typer.Typer()
    app.command()(lambda: typer.echo(confirmed("Effacer ?")))
    asked = CliRunner().invoke(app, input=f"{answer}\n")
    assert asked.stdout.split()[-1] == str(yes)
    assert "Effacer ? [o/N]" in asked.stderr


def test_who_does_not_confirm_is_told_that_nothing_is_done(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of an erasure: neither Kafka nor the keys are looked for."""
    monkeypatch.setattr("traverse_producers.confirming.typer.prompt", lambda *_, **__: "non")
    assert told(monkeypatch, "privacy", "purge", "urn:siren:211300553", "R-1") == "Abandonné."


def test_two_passwords_that_differ_are_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    typed = iter(("un mot de passe assez long", "un autre mot de passe"))
    monkeypatch.setattr("typer.prompt", lambda *_, **__: next(typed))
    with pytest.raises(commands_accounts.InvalidAccountError, match="diffèrent : recommencez"):
        commands_accounts._hashed("lea@marseille.example", stdin=False)
