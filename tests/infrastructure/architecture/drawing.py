"""Draws the diagrams: `docs/architecture/*.dot` by Graphviz into SVG of the same name.

A node or edge says what `kind` of thing it is; how that looks is decided here, once.
"""

import json
import re
import subprocess
import sys
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[2]))

import toolbox

SOURCES = toolbox.CHECKOUT / "docs" / "architecture"
RENDER = Path(__file__).with_name("render.mjs")
KIND = re.compile(r"\bkind=(\w+)")
# Graphviz knows how wide Helvetica is; the others are as wide, and one of them is everywhere.
FONT = "Helvetica"
DRAWN = "Helvetica,sans-Serif"
FAMILY = "Helvetica,Arial,Liberation Sans,sans-serif"
DEFAULTS = f"""
  graph [fontname="{FONT}" fontsize=12 fontcolor="#1f2937" bgcolor=white pad=0.3
         nodesep=0.35 ranksep=0.55 style="rounded,filled" color="#cbd5e1" fillcolor="#f8fafc"
         labeljust=l penwidth=1]
  node [fontname="{FONT}" fontsize=11 fontcolor="#111827" shape=box style="rounded,filled"
        fillcolor=white color="#64748b" penwidth=1.2 margin="0.2,0.1" height=0.42]
  edge [fontname="{FONT}" fontsize=9.5 fontcolor="#475569" color="#64748b" penwidth=1.1
        arrowsize=0.7]
"""
LOOKS = {
    # Who and what is outside of the store.
    "person": 'fillcolor="#1e293b" color="#1e293b" fontcolor=white',
    "outside": 'fillcolor="#e2e8f0" color="#64748b"',
    # What runs, what keeps data, what watches, what guards, what a person decides.
    "process": 'fillcolor="#dbeafe" color="#2563eb"',
    "store": 'shape=cylinder style=filled fillcolor="#dcfce7" color="#16a34a" margin="0.2,0.12"',
    "personal": 'shape=cylinder style=filled fillcolor="#fee2e2" color="#dc2626" margin="0.2,0.12"',
    "edge": 'fillcolor="#fef3c7" color="#d97706"',
    "watch": 'fillcolor="#f3e8ff" color="#9333ea"',
    "guard": 'fillcolor="#ffe4e6" color="#e11d48"',
    "human": 'style="rounded,filled,bold" fillcolor="#fde68a" color="#b45309"',
    "good": 'fillcolor="#bbf7d0" color="#15803d"',
    "bad": 'fillcolor="#fecaca" color="#b91c1c"',
    "note": 'shape=note style=filled fillcolor="#fffbeb" color="#d6d3d1" fontsize=10',
    # Arrows: data of people, money, what is only a hint, the way back.
    "private": 'color="#dc2626" fontcolor="#b91c1c"',
    "hint": "style=dashed",
    "back": 'color="#b91c1c" fontcolor="#b91c1c" style=dashed',
    # Frames.
    "frame": 'style="rounded,filled" fillcolor="#f1f5f9" color="#94a3b8"',
    "zone": 'style="rounded,filled" fillcolor="#ffffff" color="#94a3b8"',
    "cloud": 'style="rounded,filled" fillcolor="#fffdf5" color="#d97706"',
}


def source_of(text: str) -> str:
    """Return the diagram with the looks put in. Raises KeyError for an unknown kind."""
    head, brace, rest = text.partition("{")
    return head + brace + DEFAULTS + KIND.sub(lambda found: LOOKS[found[1]], rest)


def draw(sources: dict[str, str]) -> dict[str, str]:
    """Return the drawn diagram of each source, by its name. Raises CannotHave, or ValueError."""
    library = toolbox.node_modules() / "@hpcc-js" / "wasm-graphviz" / "dist" / "index.js"
    done = subprocess.run(
        ["node", str(RENDER), str(library)],
        input=json.dumps({name: source_of(text) for name, text in sources.items()}),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise ValueError(done.stderr.strip())
    drawn = json.loads(done.stdout)
    for name, picture in drawn.items():
        if "nan" in picture:
            raise ValueError(f"{name}: Graphviz has lost its way; try newrank=true.")
    return {name: picture.replace(DRAWN, FAMILY) for name, picture in drawn.items()}


def sources() -> dict[str, str]:
    return {file.stem: file.read_text() for file in sorted(SOURCES.glob("*.dot"))}


if __name__ == "__main__":
    for name, picture in draw(sources()).items():
        (SOURCES / f"{name}.svg").write_text(picture)
        print(f"docs/architecture/{name}.svg")
