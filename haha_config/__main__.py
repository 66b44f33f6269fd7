"""`python -m haha_config`, and the `haha-config` script."""

from __future__ import annotations

import sys


def main() -> None:
    try:
        code = _run()
    except KeyboardInterrupt:
        # Also where it comes while the program is still being loaded, or is ending.
        code = 130
    sys.exit(code)


def _run() -> int:
    from haha_config.io import output

    output.prepare()
    if sys.argv[1:] in (["--version"], ["-V"]):
        # Answered before anything heavy is imported: prompts and hooks ask for it.
        from haha_config import __version__

        print(f"haha-config {__version__}")
        sys.stdout.flush()
        return 1 if output.lost() else 0
    import gc

    from haha_config.cli.main import run

    # What a start makes stays until the end: looking through it for rubbish is 3% of `validate`.
    gc.set_threshold(50_000)
    code = run(sys.argv[1:])
    # And so for the looks that the interpreter has at its end: 7% of `validate`.
    gc.freeze()
    return code


if __name__ == "__main__":
    main()
