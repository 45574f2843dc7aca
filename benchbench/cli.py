"""The command line: parse, call, print; the only place that knows exit codes. Heavy imports wait for their command."""

from __future__ import annotations

import sys
import traceback

import click

from benchbench.commands import files, results, running
from benchbench.errors import BenchbenchError

INTERRUPTED = 130


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--debug", is_flag=True, help="Show tracebacks.")
@click.version_option(package_name="benchbench", message="benchbench %(version)s")
def cli(debug: bool) -> None:
    """Benchmark TFLite models on phones and boards, across hardware delegates, with numbers that can be believed."""
    del debug  # main() looks for it, since it must work for what goes wrong here too


def main() -> None:
    """The entry point: errors in one line with the remedy, and the exit code that belongs to them."""
    debug = "--debug" in sys.argv
    arguments = [word for word in sys.argv[1:] if word != "--debug"]
    try:
        code = cli.main(args=arguments, standalone_mode=False)
        sys.exit(code if isinstance(code, int) else 0)
    except click.exceptions.Abort as error:  # click's word for KeyboardInterrupt
        _complain("interrupted", str(error.__cause__ or ""), INTERRUPTED, debug)
    except click.ClickException as error:
        _complain(error.format_message(), "see benchbench --help", 2, debug)
    except KeyboardInterrupt as error:
        _complain("interrupted", str(error), INTERRUPTED, debug)
    except BenchbenchError as error:
        _complain(error.message, error.remedy, error.exit_code, debug)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(141)
    except OSError as error:  # this host's own disk: full, read-only, gone
        _complain(str(error), "", 1, debug)


def _complain(message: str, remedy: str, code: int, debug: bool) -> None:
    if debug:
        traceback.print_exc()
    line = f"benchbench: {message}" + (f" ({remedy})" if remedy else "")
    click.echo(" ".join(line.split()), err=True)
    sys.exit(code)


for command in (
    running.demo,
    running.devices,
    running.plan,
    running.run,
    results.report,
    results.compare,
    results.import_,
    files.models,
    files.quantize,
    files.tools,
):
    cli.add_command(command)


if __name__ == "__main__":
    main()
