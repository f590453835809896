"""The charts' browser bundle, made at set-up from the `vl-convert-python` wheel.

No third-party code is committed and none is fetched by the browser from elsewhere.
"""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path

from deploy.local.layout import REPOSITORY

BUNDLE = REPOSITORY / "shared" / "web" / "static" / "generated" / "vega.js"

_PACKAGE = "vl-convert-python"
# What pages use, as `vegaEmbed(element, specification, options)`. With the option `ast: true` it
# evaluates no code of its own making, as the pages' Content-Security-Policy demands.
_SNIPPET = "window.vegaEmbed = vegaEmbed;"


def make_assets() -> Path:
    """Write the bundle where it is missing or of another version, and return its path."""
    mark = f"/* Vega, Vega-Lite and Vega-Embed, from {_PACKAGE} {version(_PACKAGE)} */\n"
    if _begins_with(BUNDLE, mark):
        return BUNDLE
    import vl_convert  # half a second: only where there is something to make

    BUNDLE.parent.mkdir(parents=True, exist_ok=True)
    draft = BUNDLE.with_suffix(".new")
    # In a function, so that the bundle's hundreds of short names stay its own.
    bundle = f"(() => {{{vl_convert.javascript_bundle(_SNIPPET)}}})();\n"
    draft.write_text(mark + bundle, encoding="utf-8")
    draft.replace(BUNDLE)
    return BUNDLE


def _begins_with(path: Path, mark: str) -> bool:
    try:
        with path.open(encoding="utf-8") as file:
            return file.readline() == mark
    except FileNotFoundError:
        return False
