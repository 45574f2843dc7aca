"""The command line: parse, call, print. Heavy imports wait for their command."""

from __future__ import annotations

import sys
import traceback

import click

from benchbench.cli import baselines, exit_codes, files, history, results, running, starting, terminal
from benchbench.cli.interrupts import Interrupts
from benchbench.values.errors import FULL, BenchbenchError

REPORT_IT = "a fault of benchbench itself: please report it with the lines above"


class _Commands(click.Group):
    """In the order in which they are mostly used."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.commands)


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]}, epilog=exit_codes.explained())
@click.option("--debug", is_flag=True, help="Show tracebacks.")
@click.version_option(package_name="benchbench", message="benchbench %(version)s")
def cli(debug: bool) -> None:
    """Benchmark TFLite and ONNX models on phones and boards, across delegates, with numbers that can be believed."""
    del debug  # main() looks for it, since it must work for what goes wrong here too


def main() -> None:
    """The entry point: errors in one line with the remedy, and the exit code that belongs to them."""
    interrupts = Interrupts()
    with terminal.guarded(interrupts.output_gone), interrupts.heard():
        _main()


def _main() -> None:
    debug = "--debug" in sys.argv
    arguments = [word for word in sys.argv[1:] if word != "--debug"]
    try:
        code = cli.main(args=arguments, standalone_mode=False)
        sys.exit(code if isinstance(code, int) else exit_codes.DONE)
    except click.exceptions.Abort as error:  # click's word for KeyboardInterrupt
        _complain(error.__cause__ or KeyboardInterrupt(), debug)
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 - each ends with a line and a code of its own
        _complain(error, debug)


def _complain(error: BaseException, debug: bool) -> None:
    """One line on stderr, and out; with the traceback where it was asked for, or where the fault is ours."""
    code = exit_codes.exit_code(error)
    if debug or code == exit_codes.OUR_FAULT:
        traceback.print_exception(error)
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        click.echo(error.format_message(), err=True)
        sys.exit(code)
    message, remedy = _words(error)
    if code == exit_codes.PIPE_CLOSED and not remedy:
        sys.exit(code)  # as with any program, when `| head` has read enough
    line = f"benchbench: {message}" + (f" ({remedy})" if remedy else "")
    click.echo(" ".join(line.split()), err=True)
    sys.exit(code)


def _words(error: BaseException) -> tuple[str, str]:
    """What happened, and what to do about it."""
    match error:
        case BenchbenchError():
            return error.message, error.remedy
        case click.ClickException():
            return error.format_message(), f"see benchbench {_command_of(error)}--help"
        case KeyboardInterrupt():
            return "interrupted", str(error)
        case MemoryError():
            return f"this host's memory does not suffice: {error}".rstrip(": "), "run less at once, or on a larger host"
        case OSError():
            where = f"{error.filename}: " if error.filename else ""
            return f"{where}{error.strerror or error}", "free some space" if error.errno in FULL else ""
        case _:
            return f"{type(error).__name__}: {error}", REPORT_IT


def _command_of(error: click.ClickException) -> str:
    """The command that an error is of, with a space, by its context or else by what was typed; "" for none."""
    context = error.ctx if isinstance(error, click.UsageError) else None
    if context and context.parent:
        return f"{context.info_name} "
    return next((f"{word} " for word in sys.argv[1:] if word in cli.commands), "")


for command in (
    running.demo,
    starting.init,
    running.devices,
    files.models,
    files.quantize,
    running.plan,
    running.run,
    results.report,
    results.compare,
    baselines.baseline,
    history.history,
    results.export,
    results.import_,
    files.tools,
    files.schema,
):
    cli.add_command(command)


if __name__ == "__main__":
    main()
