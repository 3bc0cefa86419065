"""Self-contained HTML pages and fragments from templates; what a template is given is escaped."""

from base64 import b64encode
from functools import cache, lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Sequence

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from ..corpora.formats.sources import to_json

_HERE = Path(__file__).parent

# Nothing but what the page itself holds may run, and nothing may be loaded.
_POLICY = "default-src 'none'; script-src {script}; style-src {style}; base-uri 'none'"
# For pages with style attributes, and for pages with pictures as data.
STYLE_ATTRIBUTES, PICTURES = "style-src-attr 'unsafe-inline'", "img-src data:"


def break_names(text: str) -> Markup:
    """Escape a text whose names may break after an underscore."""
    return escape(text).replace("_", Markup("_<wbr>"))


@lru_cache(maxsize=1)
def _environment() -> Environment:
    """Make the environment of all templates. Names are relative to `pages`, or to the package."""
    loader = FileSystemLoader([_HERE / "pages", _HERE.parent])
    environment = Environment(
        loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["break_names"] = break_names
    environment.globals.update(zip=zip, slice=slice)
    environment.policies.update({"json.dumps_function": to_json, "json.dumps_kwargs": {}})
    return environment


@cache
def read_asset(name: str) -> Markup:
    """Read a style sheet, a script or another file of this package that is inserted as it is."""
    environment = _environment()
    assert environment.loader is not None
    return Markup(environment.loader.get_source(environment, name)[0])


def fill_template(name: str, **values: object) -> Markup:
    """Fill in a template. RETURNS (Markup): HTML in which all values are escaped that are not Markup themselves."""
    return Markup(_environment().get_template(name).render(values).strip())


def draw_page(
    name: str,
    *,
    title: str,
    lang: str = "en",
    assets: Sequence[str] = (),
    data: object = None,
    allowed: Sequence[str] = (),
    **values: object,
) -> str:
    """Make a page that needs no network.

    name (str): Template, which extends `base.html`.
    title (str): Title, not escaped.
    lang (str): Language code of the texts.
    assets (Sequence[str]): Style sheets (.css) and scripts (.js), in order, besides `base.css` and `base.js`.
    data (object): What the script reads, as JSON; None: nothing.
    allowed (Sequence[str]): Further directives of the Content-Security-Policy.
    values (object): What the template is given.
    """
    scripts = [each for each in assets if each.endswith(".js")]
    style = Markup("\n").join(map(read_asset, ["base.css", *(each for each in assets if each.endswith(".css"))]))
    script = Markup("\n").join(map(read_asset, ["base.js", *scripts])) if scripts else Markup("")
    policy = _POLICY.format(script=_hash(script) if scripts else "'none'", style=_hash(style))
    allowed = allowed if any(each.startswith("form-action") for each in allowed) else [*allowed, "form-action 'none'"]
    policy = Markup("; ".join([policy, *allowed]))  # no part of it needs to be escaped
    page = {"title": title, "lang": lang, "style": style, "script": script, "policy": policy, "data": data}
    return str(fill_template(name, **page, **values)) + "\n"


def _hash(text: str) -> str:
    """Compute the hash by which a Content-Security-Policy allows a script or a style."""
    return f"'sha256-{b64encode(sha256(text.encode('utf8')).digest()).decode('ascii')}'"
