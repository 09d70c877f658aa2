"""How Sphinx builds the site: ``nox -s docs``."""

from __future__ import annotations

import logging
import sys
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE / "_generators"))

import names  # noqa: E402 - only found by the line before
import pages  # noqa: E402 - the same

if TYPE_CHECKING:
    from sphinx.application import Sphinx

# The examples of documents are made by a sync, whose log is not the build's.
logging.getLogger("fsxcopy_sdk").setLevel(logging.WARNING)

project = "fsxcopy-sdk"
author = "the authors of fsxcopy-sdk"
release = version = metadata.version("fsxcopy-sdk")

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.doctest",
    "sphinx.ext.viewcode",
]
exclude_patterns = ["_build"]

myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3

nitpicky = True
# Nothing is downloaded, so what other libraries define cannot be looked up.
nitpick_ignore_regex = [("py:.*", pattern) for pattern in names.OF_OTHERS]

# A name in single backticks is code, and a link where it is known here.
default_role = "code-or-link"
add_module_names = False
python_use_unqualified_type_names = True
python_maximum_signature_line_length = 80
toc_object_entries = False

autodoc_mock_imports = names.NOT_INSTALLED
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_typehints_format = "short"
autodoc_default_options = {"members": True, "show-inheritance": True}

html_theme = "furo"
html_title = f"fsxcopy-sdk {release}"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_sphinx = False
html_show_copyright = False


def setup(app: Sphinx) -> None:
    """Connect what this site adds to Sphinx."""
    names.setup(app)
    pages.setup(app)
