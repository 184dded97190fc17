"""`tracker sandbox`: the simulated outside world in the foreground, for trying rules and templates."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def sandbox(
    shipments: Annotated[int, typer.Option(min=1, max=100_000, help="How many parcels.")] = 60,
    days: Annotated[int, typer.Option(min=1, max=365, help="Over how many days they are posted.")] = 20,
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port of the simulated carrier; 0: a free one.")] = 0,
    smtp_port: Annotated[int, typer.Option(min=0, max=65535, help="Port of the mail sink; 0: a free one.")] = 0,
    folder: Annotated[Path, typer.Option(help="Orders, messages and claims go here.")] = Path("sandbox"),
    clock_file: Annotated[
        Path | None, typer.Option(help="File with an ISO instant that sets the time; absent: real time.")
    ] = None,
    seed: Annotated[int, typer.Option(help="The same seed gives the same world.")] = 7,
    fault: Annotated[
        list[str] | None,
        typer.Option(
            help="KIND[:COUNT][@PATH], repeatable: 429, 403, expired, 500, html, close, hang, lost_answer, hang_after, 999, f; "
            "for mail greylist, unknown_user, throttled, auth_refused, drop_before_data, drop_after_dot, with @RECIPIENT."
        ),
    ] = None,
    fault_share: Annotated[
        float, typer.Option(min=0, max=1, help="This share of all calls fails by chance, by seed.")
    ] = 0.0,
    outage: Annotated[
        list[str] | None,
        typer.Option(help="tracking, claims, deadlines or all, then @FIRST/LAST as instants with offset; repeatable."),
    ] = None,
    strike: Annotated[
        list[str] | None,
        typer.Option(help="FIRST:LAST[@STATE[/CITY]] as YYYY-MM-DD, repeatable: the whole carrier, a state, a city."),
    ] = None,
    realistic: Annotated[
        bool,
        typer.Option("--realistic", help="Terms as long as the real ones; state holidays of the destination count."),
    ] = False,
) -> None:
    """Run a simulated carrier and a mail sink on loopback until interrupted.

    Every fate of a parcel is in it: late, lost, found again, stolen, damaged, stalled, held, seized, turned back, waiting at
    the counter, delivered and reversed, re-planned, told late, twice or not at all, and claimed by its buyer.
    """
    from tracker.clock import SystemClock
    from tracker.sandbox.foreground import serve

    try:
        serve(
            shipments=shipments,
            days=days,
            port=port,
            smtp_port=smtp_port,
            folder=folder,
            clock_file=clock_file,
            seed=seed,
            faults=fault or [],
            fault_share=fault_share,
            outages=outage or [],
            strikes=strike or [],
            realistic=realistic,
            # Only here does the sandbox touch the program's clock: all below is told the time.
            real_time=SystemClock().now,
            say=typer.echo,
        )
    except (OSError, ValueError) as exc:
        raise typer.BadParameter(str(exc)) from exc
