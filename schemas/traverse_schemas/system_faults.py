"""Why the system, or SQLite, refuses a file or an address, in French: it has English words."""

import errno
import sqlite3
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


_OF_SQLITE: Final = {
    sqlite3.SQLITE_FULL: "le disque est plein",
    sqlite3.SQLITE_IOERR: "le disque est plein, ou ne répond pas comme il faut",
    sqlite3.SQLITE_READONLY: "ce compte n'en a pas le droit",
    sqlite3.SQLITE_CANTOPEN: "ce compte n'en a pas le droit, ou le disque est plein",
}


def fault(error: OSError | ValueError | sqlite3.Error) -> str:
    """A few words for between brackets; a ValueError is of a text that does not read as UTF-8."""
    if isinstance(error, sqlite3.Error):
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF  # the primary code
        return _OF_SQLITE.get(code, str(error))
    if not isinstance(error, OSError):
        return "ce n'est pas du texte"
    return _FRENCH.get(error.errno or 0, error.strerror or type(error).__name__)
