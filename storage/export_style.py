"""The style sheet of an exported page: one column, two colour schemes, the system's own fonts."""

STYLE = """
:root { color-scheme: light dark; --ground: #faf9f5; --raised: #fff; --ink: #20241f; --soft: #5c635a; --line: #dcd8cb;
  --accent: #1d5c4d; --mine: #e3ece6; --code: #eeebe1; }
@media (prefers-color-scheme: dark) {
  :root { --ground: #141715; --raised: #202521; --ink: #e6e8e1; --soft: #a0a89e; --line: #323832; --accent: #7fc7b0;
    --mine: #243730; --code: #262c28; }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--ink); font: 1rem/1.55 system-ui, sans-serif; }
main { max-width: 48rem; margin: 0 auto; padding: 1rem; overflow-wrap: anywhere; }
h1, h2 { line-height: 1.25; }
h2 { margin: 2.5rem 0 .5rem; }
a { color: var(--accent); }
dl { display: grid; grid-template-columns: max-content minmax(0, 1fr); gap: 0 1rem; margin: 0 0 1.5rem;
  font-size: .875rem; color: var(--soft); }
dd { margin: 0; }
article { margin: 0 0 .75rem; padding: .6rem .9rem; border: 1px solid var(--line); border-radius: .75rem;
  background: var(--raised); }
article.asked { background: var(--mine); }
article.answer { margin-bottom: 1.5rem; }
header, .made, .state, summary { font-size: .8125rem; color: var(--soft); }
header b { color: var(--ink); }
.made { margin: .4rem 0 0; }
.text, .plain { white-space: pre-wrap; }
.said > :first-child { margin-top: .25rem; }
.said > :last-child { margin-bottom: 0; }
pre, code { background: var(--code); border-radius: .3rem; font: .875rem/1.45 ui-monospace, monospace; }
code { padding: .1rem .25rem; }
pre { padding: .6rem; overflow-x: auto; overflow-wrap: normal; }
pre code { padding: 0; }
blockquote { margin: .5rem 0; padding-left: .8rem; border-left: 3px solid var(--line); color: var(--soft); }
details .text { font: .8125rem/1.45 ui-monospace, monospace; }
img { display: block; max-width: 100%; max-height: 70vh; margin-top: .5rem; border-radius: .5rem; }
table { display: block; overflow-x: auto; border-collapse: collapse; font-size: .875rem; }
th, td { padding: .35rem .6rem; border-bottom: 1px solid var(--line); text-align: start; vertical-align: top; }
td, th { overflow-wrap: break-word; }
td:first-child { min-width: 10rem; overflow-wrap: anywhere; }
td.right, th.right { text-align: right; }
td.center, th.center { text-align: center; }
@media print { article { break-inside: avoid; } }
"""
