"""``flask-chat capacity``: says what it does, shows each crowd as it is measured, and then all of it."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

from .. import logs, opening, supervisor
from ..config import Config, ConfigError
from . import report
from .measure import Asked, Step, measure


def run(config: Config, asked: Asked, file: Path | None) -> None:
    """Measure and print; the figures go to ``file`` too. Raises what :func:`measure` raises."""
    obstacle = supervisor.obstacle(config)
    if config.workers > 1 and obstacle:
        raise ConfigError(f"{config.workers} processes cannot be measured. {obstacle}")
    if file is not None and not file.absolute().parent.is_dir():
        raise ConfigError(f"{file} cannot be written: there is no such folder.")
    logs.configure("warnings", opening.node_name())
    click.echo(
        "Measuring with a throw-away chat, which takes all the power of this machine that it can get for up to "
        f"{_minutes(asked.lasts)}. Your chat's data is not touched. Ctrl-C stops it.",
        err=True,
    )
    try:
        found = measure(config, asked, _progress)
    except KeyboardInterrupt:
        click.echo("Stopped. Nothing of it is left.", err=True)
        sys.exit(130)
    click.echo("\n" + report.text(found, blocks=_more_than_ascii()))
    if file is not None:
        file.write_text(json.dumps(report.figures(found), indent=2, ensure_ascii=False) + "\n", "utf-8")


def _progress(step: Step) -> None:
    came = f"p99 {report.ms(step.p99)} ms" if not step.missing else "not everybody got everything"
    click.echo(f"  {step.people:,} people: {came}", err=True)


def _minutes(seconds: float) -> str:
    return f"{seconds / 60:.0f} minutes"


def _more_than_ascii() -> bool:
    return (sys.stdout.encoding or "ascii").lower().replace("-", "").startswith("utf")
