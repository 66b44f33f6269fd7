"""The numbers as a page: docs/speed.md and its picture."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks import section
from benchmarks.compare import table
from benchmarks.live import SLOW, Live
from benchmarks.measure import Times, machine, median
from benchmarks.scale import Growth, Scale

DOCS = Path(__file__).resolve().parent.parent / "docs"
#: What is said around the numbers, by hand.
TEXT = Path(__file__).with_name("speed.md")


def write(
    versions: Mapping[str, str],
    found: Mapping[str, Mapping[str, Times]],
    scale: Scale,
    live: Live,
    runs: int,
) -> None:
    """docs/speed.md and docs/speed.svg."""
    compared = [line for name, times in found.items() for line in _section(name, times)]
    named = ", ".join(f"{name} {version}" for name, version in versions.items())
    text = section.keep(TEXT.read_text(encoding="utf-8"))
    for name, lines in {
        "machine": [f"{time.strftime('%Y-%m-%d %H:%M %Z', time.gmtime())}; {machine()}."],
        "runs": [str(runs)],
        "versions": [f"{named}."],
        "compare": compared,
        "scale": of_scale(scale),
        "live": of_live(live),
    }.items():
        text = text.replace(f"<!-- {name} -->", "\n".join(lines).strip())
    (DOCS / "speed.md").write_text(text, encoding="utf-8")
    (DOCS / "speed.svg").write_text(picture(found), encoding="utf-8")


def _section(name: str, times: Mapping[str, Times]) -> list[str]:
    return [f"### {name}", "", *table(times), ""]


def of_scale(scale: Scale) -> list[str]:
    """Tables of both kinds of growth."""
    lines = ["### Models in litellm_config.yaml", ""]
    lines += _growth(scale.models, "models", scale.loader, scale.ratios)
    lines += ["", "### settings.json", ""]
    return lines + _growth(scale.settings, "kB", (), {})


def _growth(
    rows: Sequence[Growth], unit: str, loader: Sequence[float], ratios: Mapping[str, float]
) -> list[str]:
    sizes = rows[0].sizes
    head = " | ".join(f"{size:,} {unit}" for size in sizes)
    last = " | × CSafeLoader" if loader else ""
    lines = [
        f"| seconds (peak MiB) | {head} | exponent{last} |",
        "|---" + "|---:" * (len(sizes) + 1 + bool(loader)) + "|",
    ]
    if loader:
        told = " | ".join(f"{seconds:.3f}" for seconds in loader)
        lines.append(f"| `yaml.load`, CSafeLoader | {told} | | 1.0 |")
    for row in rows:
        cells = [f"{s:.2f} ({m:.0f})" for s, m in zip(row.seconds, row.memory, strict=True)]
        beside = f"{ratios[row.command]:.1f}" if row.command in ratios else ""
        ratio = f" {beside} |" if loader else ""
        lines.append(f"| `{row.command}` | {' | '.join(cells)} | {row.slope:.2f} |{ratio}")
    return lines


def of_live(live: Live) -> list[str]:
    """The table of slow endpoints."""
    lines = [f"Each answer takes {SLOW:g} s.", "", "| | seconds |", "|---|---:|"]
    lines += [f"| `probe`, {n} models | {s:.1f} |" for n, s in live.probe.items()]
    return lines + [f"| `models`, {n} sources | {s:.1f} |" for n, s in live.models.items()]


# --- the picture -----------------------------------------------------------------------------

_LEFT, _ROW, _BAR, _WIDTH = 190, 20, 420, 720


def picture(found: Mapping[str, Mapping[str, Times]]) -> str:
    """Bars of the medians in multiples of bare Python, each table to one scale."""
    parts: list[str] = []
    y = 10
    for name, times in found.items():
        bare = median(times["bare Python"].wall)
        rows = {row: median(t.wall) / bare for row, t in times.items()}
        y += 24
        parts.append(f'<text x="10" y="{y}" font-weight="bold">{name}</text>')
        for row, ratio in rows.items():
            y += _ROW
            width = _BAR * ratio / max(rows.values())
            ours = row.startswith("haha-config")
            fill = "#c2410c" if ours else "#9ca3af"
            parts.append(f'<text x="{_LEFT - 8}" y="{y}" text-anchor="end">{row}</text>')
            parts.append(
                f'<rect x="{_LEFT}" y="{y - 12}" width="{width:.1f}" height="14" fill="{fill}"/>'
            )
            parts.append(f'<text x="{_LEFT + width + 6:.1f}" y="{y}">{ratio:.1f} ×</text>')
        y += 12
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{y + 10}"'
        ' font-family="sans-serif" font-size="12" fill="#374151">\n'
        f'<rect width="100%" height="100%" fill="#ffffff"/>\n' + "\n".join(parts) + "\n</svg>\n"
    )
