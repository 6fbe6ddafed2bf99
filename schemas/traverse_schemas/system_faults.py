"""Why the system refuses a file or an address, in French: its own words are English."""

import errno
from typing import Final

_FRENCH: Final = {
    errno.ENOENT: "il n'existe pas",
    errno.EACCES: "ce compte n'en a pas le droit",
    errno.EPERM: "ce compte n'en a pas le droit",
    errno.EROFS: "le disque ne prend rien",
    errno.ENOSPC: "le disque est plein",
    errno.EEXIST: "il existe déjà",
    errno.EISDIR: "c'est un dossier",
    errno.ENOTDIR: "un fichier tient lieu de dossier",
    errno.ENAMETOOLONG: "son nom est trop long",
    errno.EADDRINUSE: "un autre programme l'occupe",
    errno.EADDRNOTAVAIL: "l'adresse n'est pas de cette machine",
}


def fault(error: OSError | ValueError) -> str:
    """A few words for between brackets; a ValueError is of a text that does not read as UTF-8."""
    if not isinstance(error, OSError):
        return "ce n'est pas du texte"
    return _FRENCH.get(error.errno or 0, error.strerror or type(error).__name__)
