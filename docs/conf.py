"""How `make docs` builds the documentation site."""

project = "Satbridge"
copyright = "the Satbridge authors"
extensions = ["myst_parser"]
source_suffix = {".md": "markdown"}
root_doc = "index"
exclude_patterns = ["_build"]
myst_heading_anchors = 4
myst_enable_extensions = ["deflist"]
html_theme = "furo"
html_title = "Satbridge"
