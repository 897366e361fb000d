"""Pages that lie beside the code are shown in the documentation as they are."""

from pathlib import Path

ROOT = Path(__file__).parent.parent


def on_page_markdown(markdown, page, config, files):
    """A line `<!-- include FILE -->` becomes that file of the repository."""
    start, end = "<!-- include ", " -->"
    lines = []
    for line in markdown.splitlines():
        is_include = line.startswith(start) and line.endswith(end)
        name = line.removeprefix(start).removesuffix(end)
        lines.append((ROOT / name).read_text("utf-8") if is_include else line)
    return "\n".join(lines)
