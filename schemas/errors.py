"""Errors that the person at the command line can mend."""


class UserError(Exception):
    """One line that says what is wrong, where, and what to do about it.

    Command lines print it without a traceback and exit with code 2.
    """

    def __init__(self, message: str) -> None:
        super().__init__(" ".join(message.splitlines()))  # names of files may hold line ends
