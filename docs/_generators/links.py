"""Find links of a built site that lead nowhere: ``python links.py FOLDER`` names each."""

from __future__ import annotations

import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit


class _Page(HTMLParser):
    """What a page links to, and what can be linked to in it."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.links: list[str] = []
        self.anchors = {""}
        self.feed(path.read_text("utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a link or an anchor."""
        found = dict(attrs)
        self.anchors.add(found.get("id") or "")
        # Sphinx links a module's source back by one public module, though its names have two.
        is_back = found.get("class") == "viewcode-back"
        if tag == "a" and not is_back and (link := found.get("href")):
            self.links.append(link)


def main(folder: str) -> None:
    """Print how many links there are, and end with an error that names the dead ones."""
    pages = {path.resolve(): _Page(path) for path in Path(folder).rglob("*.html")}
    checked, dead = 0, set()
    for path, page in pages.items():
        for link in page.links:
            parts = urlsplit(link)
            if parts.scheme:  # another site
                continue
            checked += 1
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            if target in pages:
                is_dead = unquote(parts.fragment) not in pages[target].anchors
            else:
                is_dead = not target.exists()
            if is_dead:
                dead.add(f"{path.relative_to(Path(folder).resolve())}: {link}")
    print(f"pages: {len(pages)}, links within the site: {checked}, dead: {len(dead)}")  # noqa: T201 - its result
    if dead:
        sys.exit("\n".join(sorted(dead)))


if __name__ == "__main__":
    main(sys.argv[1])
