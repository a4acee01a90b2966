"""The frame of a report: style, and small pieces of HTML with every word of the user's escaped."""

import base64
from collections.abc import Iterable, Sequence
from html import escape

STYLE = """
:root { color-scheme: light; }
body { margin: 0 auto; max-width: 46rem; padding: 2rem 1.25rem 3rem; background: #fff; color: #1b222b;
  font: 16px/1.5 system-ui, "Segoe UI", "Helvetica Neue", "Noto Sans", "DejaVu Sans", sans-serif; }
h1 { font-size: 1.7rem; line-height: 1.2; margin: 0 0 .25rem; }
h2 { font-size: 1.15rem; margin: 2.2rem 0 .5rem; border-bottom: 1px solid #c9d0d8; padding-bottom: .2rem; }
p { margin: .5rem 0; } small, .dim { color: #5d6977; } small { font-size: .85rem; }
img { display: block; max-width: 100%; height: auto; margin: .75rem auto 0; }
.made-up { background: #f6e3ee; border-left: 6px solid #cc79a7; padding: .6rem 1rem; margin: 1rem 0; }
.verdict { border: 1px solid #c9d0d8; border-left: 8px solid #5d6977; border-radius: 4px; margin: .8rem 0;
  padding: .7rem 1rem; }
.verdict h3 { margin: 0 0 .2rem; font-size: 1.1rem; }
.verdict.better { border-left-color: #007a5e; } .verdict.worse { border-left-color: #a33c00; }
.verdict p { margin: .2rem 0 0; }
.low { display: inline-block; background: #1b222b; color: #fff; border-radius: 3px; padding: 0 .5em;
  font-size: .75rem; font-weight: 700; letter-spacing: .03em; vertical-align: .15em; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: .92rem; margin: .6rem 0; }
th, td { text-align: left; padding: .3rem .6rem .3rem 0; border-bottom: 1px solid #e4e8ec;
  vertical-align: top; overflow-wrap: anywhere; }
th { font-weight: 600; } td.n, th.n { text-align: right; font-variant-numeric: tabular-nums;
  white-space: nowrap; }
@media print { body { max-width: none; padding: 0; font-size: 10.5pt; } h2 { break-after: avoid; }
  figure, .verdict, tr { break-inside: avoid; } .verdict, .low, .made-up { print-color-adjust: exact;
  -webkit-print-color-adjust: exact; } }
figure { margin: .75rem 0; } figcaption { color: #5d6977; font-size: .9rem; margin-top: .4rem; }
"""


def page(title: str, parts: Iterable[str]) -> str:
    """Return a whole document that needs nothing beside it and can load nothing."""
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta http-equiv="Content-Security-Policy" '
        "content=\"default-src 'none'; img-src data:; style-src 'unsafe-inline'\">\n"
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n"
        + "\n".join(parts)
        + "\n</body>\n</html>\n"
    )


def heading(text: str) -> str:
    """Return the heading of a part."""
    return f"<h2>{escape(text)}</h2>"


def paragraph(text: str, kind: str = "") -> str:
    """Return a paragraph."""
    return f'<p class="{kind}">{escape(text)}</p>' if kind else f"<p>{escape(text)}</p>"


def picture(png: bytes, alternative: str, caption: str) -> str:
    """Return a picture with words for those who do not see it, and a caption."""
    data = base64.b64encode(png).decode("ascii")
    return (
        f'<figure><img src="data:image/png;base64,{data}" alt="{escape(alternative)}">'
        f"<figcaption>{escape(caption)}</figcaption></figure>"
    )


def table(heads: Sequence[str], rows: Iterable[Sequence[str]], numeric: int) -> str:
    """Return a table whose columns from `numeric` on hold numbers."""

    def cells(values: Sequence[str], tag: str) -> str:
        kinds = [' class="n"' if k >= numeric else "" for k in range(len(values))]
        return "".join(
            f"<{tag}{kind}>{escape(value)}</{tag}>" for kind, value in zip(kinds, values, strict=True)
        )

    body = "".join(f"<tr>{cells(row, 'td')}</tr>" for row in rows)
    return f'<div class="scroll"><table><tr>{cells(heads, "th")}</tr>{body}</table></div>'
