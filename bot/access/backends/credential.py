"""Secrets of back-ends: from the environment by ${NAME}, or from a file that is read each time."""

from pathlib import Path

from pydantic import SecretStr

from bot.ports.delivering import GiveUpError

LARGEST = 100_000


class Credential:
    """One secret. It is read when it is needed, so that a file can be replaced at any time."""

    def __init__(self, what: str, value: SecretStr, file: str) -> None:
        self._what = what
        self._value = value
        self._file = Path(file) if file else None

    def read(self) -> str:
        """Return the secret. Raises GiveUpError, which names the option or file and never more."""
        text = self._value.get_secret_value() if self._file is None else self._from(self._file)
        text = text.strip()
        if not text:
            raise GiveUpError(f"{self._what} is empty. Set `token` to ${{NAME}}, or `token_file`.")
        if not text.isascii() or not text.isprintable():
            raise GiveUpError(f"{self._what} holds characters that no token has. Replace it.")
        return text

    def _from(self, file: Path) -> str:
        try:
            with file.open("rb") as opened:
                return opened.read(LARGEST).decode()
        except OSError as error:
            words = f"{self._what}: {file} cannot be read: {error.strerror}."
            raise GiveUpError(words) from None
        except UnicodeDecodeError:
            raise GiveUpError(f"{self._what}: {file} is no text.") from None
