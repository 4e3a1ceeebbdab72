"""The look of the plan's page: one sheet, light and dark by the reader's system, no font or picture from elsewhere.

Every pair of text and ground has a contrast of at least 4.5 to 1 in both schemes. Meaning never hangs on colour alone.
"""

from __future__ import annotations

SHEET = """
:root {
  color-scheme: light dark;
  --ground: #f6f7f9; --card: #ffffff; --line: #d9dee6; --faint: #eef1f5;
  --text: #17202e; --soft: #566275; --accent: #1d5fd1; --accent-ground: #e8f0fe;
  --job: #7a3fb8; --job-ground: #f4ecfc; --good: #1c7a48; --good-ground: #d5efe0;
  --warn: #8a5300; --warn-ground: #fff4dc; --bad: #b3261e; --bad-ground: #fde8e6; --quiet: #c4ccd8;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #0f141b; --card: #171e28; --line: #2c3645; --faint: #1e2733;
    --text: #e6ebf2; --soft: #9daabd; --accent: #7fb0ff; --accent-ground: #1a2b48;
    --job: #cda4f7; --job-ground: #2e2140; --good: #6fd39c; --good-ground: #17392a;
    --warn: #f2c26b; --warn-ground: #35290f; --bad: #ff9d94; --bad-ground: #43201d; --quiet: #475469;
  }
}
* { box-sizing: border-box; }
html { scroll-behavior: smooth; scroll-padding-top: 1rem; }
@media (prefers-reduced-motion: reduce) { html { scroll-behavior: auto; } }
body {
  margin: 0; background: var(--ground); color: var(--text);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif;
  font-variant-numeric: tabular-nums;
}
main { max-width: 1240px; margin: 0 auto; padding: 2rem 1.5rem 4rem; }
h1 { font-size: 1.6rem; line-height: 1.2; margin: 0; letter-spacing: -.01em; }
h2 { font-size: 1.05rem; margin: 2.25rem 0 .75rem; }
h3 { font-size: .8rem; margin: 1.1rem 0 .4rem; color: var(--soft); font-weight: 600; }
p { margin: .25rem 0; }
code, .id { font-family: ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace; font-size: .87em; }
a { color: var(--accent); }
a:focus-visible, summary:focus-visible, .scroll:focus-visible {
  outline: 3px solid var(--accent); outline-offset: 2px; border-radius: 6px;
}
.skip { position: absolute; left: -999rem; }
.skip:focus { left: 1rem; top: 1rem; background: var(--card); padding: .5rem .75rem; z-index: 1; }
header { display: flex; flex-wrap: wrap; gap: .25rem 1rem; align-items: baseline; }
header .id { color: var(--soft); }
.soft { color: var(--soft); }
.card { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 1rem 1.15rem; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(130px, 1fr)); gap: .75rem; margin: 1.25rem 0 0; }
.tiles div { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: .7rem .95rem; }
.tiles dt { color: var(--soft); font-size: .85rem; }
.tiles dd { margin: 0; font-size: 1.4rem; font-weight: 600; line-height: 1.25; }
.warnings { list-style: none; margin: 0; padding: 0; display: grid; gap: .5rem; }
.warnings li, .note {
  background: var(--warn-ground); color: var(--text); border: 1px solid var(--warn); border-left-width: 4px;
  border-radius: 8px; padding: .5rem .85rem;
}
.note { margin: .5rem 0; }
.personal { background: var(--bad-ground); border-color: var(--bad); font-weight: 600; margin-top: 1rem; }
.budgets { display: grid; gap: .75rem; grid-template-columns: repeat(auto-fit, minmax(340px, 1fr)); }
.bar { display: flex; height: 12px; border-radius: 6px; overflow: hidden; background: var(--faint); margin: .5rem 0; }
.bar span { display: block; min-width: 2px; }
.bar .gap { background: transparent; min-width: 0; }
.used { background: var(--quiet); } .ours { background: var(--accent); }
.new { background: var(--good); } .change { background: var(--accent); } .maybe { background: var(--accent); }
.same { background: var(--quiet); } .skipped { background: var(--soft); } .rejected { background: var(--bad); }
.reserved { background: repeating-linear-gradient(135deg, var(--quiet) 0 3px, transparent 3px 7px); }
.key { display: flex; flex-wrap: wrap; gap: .1rem 1.1rem; margin: 0; padding: 0; list-style: none; font-size: .9rem; }
.key i {
  display: inline-block; width: .7rem; height: .7rem; border-radius: 3px; margin-right: .4rem; vertical-align: -1px;
}
.scroll { overflow-x: auto; }
.scroll + .key { margin-top: .5rem; color: var(--soft); }
i.request, i.job { border: 1.5px solid var(--accent); background: var(--card); }
i.job { border-color: var(--job); background: var(--job-ground); }
.key i.wait, .key i.meet {
  width: 1.4rem; height: 0; border-radius: 0; border-top: 1.5px solid var(--soft); vertical-align: 4px;
}
.key i.meet { border-top: 1.5px dashed var(--warn); }
svg { display: block; }
svg text { font-family: inherit; fill: var(--text); font-size: 13px; }
svg .small { fill: var(--soft); font-size: 11.5px; }
svg rect { fill: var(--card); stroke: var(--accent); stroke-width: 1.5; }
svg .job rect { stroke: var(--job); fill: var(--job-ground); }
svg a { text-decoration: none; }
svg a:focus { outline: none; }
svg a:hover rect, svg a:focus-visible rect { stroke-width: 3; }
svg path { fill: none; stroke: var(--soft); stroke-width: 1.4; opacity: .75; }
svg .meet { stroke: var(--warn); stroke-dasharray: 5 3; opacity: 1; }
svg marker path { fill: var(--soft); stroke: none; opacity: 1; }
svg marker.meet path { fill: var(--warn); stroke: none; }
details.op { background: var(--card); border: 1px solid var(--line); border-radius: 10px; margin: .5rem 0; }
details.op:target { border-color: var(--accent); box-shadow: 0 0 0 1px var(--accent); }
details.op > summary {
  display: grid; grid-template-columns: 1rem minmax(0, 19rem) minmax(0, 1fr) auto; gap: .3rem .8rem;
  align-items: center; padding: .7rem 1rem; cursor: pointer; list-style: none;
}
details.op > summary::-webkit-details-marker { display: none; }
details.op > summary::before { content: "\\25B8"; color: var(--soft); }
details.op[open] > summary::before { content: "\\25BE"; }
details.op > summary:hover { background: var(--faint); border-radius: 10px; }
summary strong { font-weight: 650; overflow-wrap: anywhere; }
.body { padding: 0 1rem 1rem 2.8rem; }
.tags { display: flex; gap: .35rem; flex-wrap: wrap; justify-content: flex-end; }
.tag {
  font-size: .82rem; border-radius: 999px; padding: .05rem .6rem; white-space: nowrap;
  background: var(--accent-ground); color: var(--accent);
}
.tag.job { background: var(--job-ground); color: var(--job); }
.tag.bad { background: var(--bad-ground); color: var(--bad); }
table { border-collapse: collapse; width: 100%; }
th { text-align: left; font-weight: 600; color: var(--soft); font-size: .85rem; }
th, td { padding: .3rem .7rem .3rem 0; border-bottom: 1px solid var(--line); vertical-align: top; }
tr:last-child td { border-bottom: 0; }
td.n, th.n { text-align: right; white-space: nowrap; }
.rows { margin-top: .4rem; }
.rows td.n { width: 6.5rem; }
.rows .fidelity { text-align: right; }
.rejects { width: auto; min-width: 50%; }
.rejects th, .rejects td { padding-right: 1.4rem; }
.samples { width: max-content; }
.samples th, .samples td { padding-right: 1.4rem; }
.samples td { overflow-wrap: break-word; max-width: 22rem; }
.samples td:nth-child(2) { min-width: 6rem; }
.scroll + .scroll { margin-top: .8rem; }
.samples i { color: var(--soft); }
.samples del { color: var(--bad); }
.samples ins { color: var(--good); text-decoration: none; font-weight: 600; }
td.in { padding-left: 1.2rem; }
.fidelity { color: var(--soft); font-size: .85rem; white-space: nowrap; }
.step { border-left: 3px solid var(--accent); padding: .1rem 0 .1rem .85rem; margin: .5rem 0 .9rem; }
.step.job { border-color: var(--job); }
.step ul { margin: .25rem 0 0; padding: 0; list-style: none; color: var(--soft); }
.step li b { color: var(--text); font-weight: 600; }
.plain > summary { cursor: pointer; color: var(--accent); width: fit-content; margin: .6rem 0; }
.waits { columns: 2 420px; column-gap: 2rem; padding-left: 1.1rem; }
.waits li { break-inside: avoid; margin-bottom: .3rem; overflow-wrap: anywhere; }
.digests td { overflow-wrap: anywhere; }
@media (max-width: 760px) {
  main { padding: 1.25rem 1rem 3rem; }
  details.op > summary { grid-template-columns: 1rem 1fr; }
  details.op > summary > :nth-child(n + 2) { grid-column: 2; }
  .tags { justify-content: flex-start; }
  .body { padding-left: 1rem; }
}
@media print {
  body { background: #fff; }
  details.op { break-inside: avoid; }
}
"""
