"""Keys outside of profiles: a variable, a 0600 file, or the keyring of the system.

`keyring` is an extra and slow to load: it is imported only where a reference names it.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from haha_config.core.errors import HahaError
from haha_config.core.messages import msg
from haha_config.io import files

SERVICE: Final = "haha-config"
_EXTRA: Final = "pip install 'haha-config[keyring]'"


def folder(data: Path) -> Path:
    """Our own key store, 0700, in our data folder."""
    return data / "keys"


def own_name(profile: str, variable: str) -> str:
    """What a profile's key is called in our store and in a keyring."""
    return f"{profile}.{variable}"


def path(data: Path, name: str) -> Path:
    """The file that `file:NAME` means: a bare name is in our own store."""
    given = Path(name).expanduser()
    return given if given.is_absolute() else folder(data) / name


def read(kind: str, name: str, environ: Mapping[str, str], data: Path) -> str:
    """The key; "" where there is none.

    Raises HahaError where a file can't be read or there is no keyring.
    """
    if kind == "env":
        return environ.get(name, "")
    if kind == "file":
        where = path(data, name)
        with contextlib.suppress(OSError):  # said in words below
            if not where.exists():
                return ""
        return files.text(where).strip()
    with _keyring() as keyring:
        return _secret_service(name) or keyring.get_password(SERVICE, name) or ""


def _secret_service(name: str) -> str:
    """The key from Linux's usual keyring, unless another is chosen; "" where it has none.

    `keyring` looks for its backend by loading every one there is, which takes longer than the
    question itself; the client waits for this answer.
    """
    if sys.platform != "linux":
        return ""
    from keyring import core
    from keyring.errors import KeyringError

    with contextlib.suppress(KeyringError, ImportError, RuntimeError):
        if core.load_env() is None and core.load_config() is None:
            from keyring.backends import SecretService
            from secretstorage.exceptions import SecretStorageException

            backend: Any = SecretService
            # Its own exceptions come through where no bus or no service answers.
            with contextlib.suppress(SecretStorageException, OSError):
                return backend.Keyring().get_password(SERVICE, name) or ""
    return ""


# --- the keyring -----------------------------------------------------------------------------


def has_keyring() -> bool:
    """Whether a keyring can be used: the extra is installed and a service answers."""
    try:
        with _keyring() as keyring:
            return float(getattr(keyring.get_keyring(), "priority", 0)) >= 1
    except HahaError:
        return False


def put_in_keyring(name: str, key: str) -> None:
    """Raises HahaError where there is no keyring, or it does not take the key."""
    with _keyring() as keyring:
        keyring.set_password(SERVICE, name, key)


def drop_from_keyring(name: str) -> None:
    """Take a key out; nothing happens where there is none."""
    with _keyring() as keyring:
        if keyring.get_password(SERVICE, name) is not None:
            keyring.delete_password(SERVICE, name)


@contextlib.contextmanager
def _keyring() -> Iterator[Any]:
    try:
        import keyring
        from keyring.errors import KeyringError
    except ImportError:
        raise HahaError(msg("keyring is not installed"), hints=(_EXTRA,)) from None
    try:
        yield keyring
    except KeyringError as error:
        # The error's own text is the backend's and could quote anything: only its kind is said.
        raise HahaError(
            msg("the keyring can't be used: {why}", why=type(error).__name__),
            hints=(msg("keep the key in a file: haha-config profile save NAME"),),
        ) from None
