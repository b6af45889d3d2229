/** The look of the report, and the few lines that read a chart's values off under the pointer. */

export const STYLE = `
:root{color-scheme:light dark;--paper:#fbfaf6;--card:#fff;--ink:#22302a;--faint:#6d7a72;--grid:#e4e5de;--line:#e4e5de;--good:#1b7f5c;--bad:#c0512b;
--c0:#1b7f5c;--c1:#c8643a;--c2:#3b6fb6;--c3:#b58a1d;--c4:#8257b5;--c5:#56645d}
@media (prefers-color-scheme:dark){:root{--paper:#141a17;--card:#1b221e;--ink:#e3e9e4;--faint:#93a199;--grid:#2b342f;--line:#2b342f;--good:#55c69b;--bad:#ef8b64;
--c0:#55c69b;--c1:#ef8b64;--c2:#7fadea;--c3:#dcb755;--c4:#b99ae8;--c5:#a3b1aa}}
*{box-sizing:border-box}
body{margin:0;background:var(--paper);color:var(--ink);font:16px/1.55 system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans",sans-serif}
main{max-width:940px;margin:0 auto;padding:32px 20px 64px}
.brand{margin:0;color:var(--good);font-weight:600;letter-spacing:.06em;font-size:.8rem;text-transform:uppercase}
h1{margin:.1em 0 .2em;font-size:clamp(1.6rem,5vw,2.3rem);line-height:1.2;letter-spacing:-.01em;overflow-wrap:anywhere}
.sub,.note,footer{color:var(--faint)}.sub{margin:0}.note{margin:0 0 14px;font-size:.93rem}
h2{margin:0 0 2px;font-size:1.18rem}h3{margin:18px 0 6px;font-size:.95rem;color:var(--faint);font-weight:600}
section{margin-top:28px;padding:22px;background:var(--card);border:1px solid var(--line);border-radius:14px}
.verdicts{margin:0 0 14px;padding:0;list-style:none;font-size:1.08rem}
.verdicts li{padding:3px 0 3px 14px;border-left:4px solid var(--c);margin:0 0 8px}
.scroll{overflow-x:auto}
table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}
th,td{text-align:left;padding:8px 10px;border-bottom:1px solid var(--line);vertical-align:top}tbody tr:last-child>*{border-bottom:0}
thead th{color:var(--faint);font-weight:600;font-size:.88rem;vertical-align:bottom}tbody th{font-weight:600}
.num{text-align:right;white-space:nowrap}small{color:var(--faint);font-weight:400}
.outcome tbody th,.measures tbody th{white-space:nowrap}.dot{display:inline-block;width:10px;height:10px;border-radius:50%;background:var(--c);margin-right:8px}
.tag{padding:2px 8px;border-radius:99px;font-weight:600;font-size:.9rem}
.good{color:var(--good);background:color-mix(in srgb,var(--good) 13%,transparent)}.bad{color:var(--bad);background:color-mix(in srgb,var(--bad) 14%,transparent)}.same{color:var(--faint)}
.heatmap td{border:3px solid var(--card);border-radius:8px}.heatmap th{border:0}.heat{background:color-mix(in srgb,var(--h) var(--s),transparent)}
.heat small{display:block;color:inherit;opacity:.8;min-height:1.2em}
.chart{position:relative;margin:18px 0 0}.chart svg{display:block;width:100%;height:auto;overflow:visible}.narrow{display:none}
figcaption{display:flex;flex-wrap:wrap;gap:2px 16px;align-items:baseline;margin-bottom:4px;font-weight:600;font-size:.95rem}
.legend{display:flex;flex-wrap:wrap;gap:2px 14px;font-weight:400;color:var(--faint);font-size:.88rem}
.key i{display:inline-block;width:16px;height:0;border-top:3px solid var(--c);vertical-align:middle;margin-right:6px;border-radius:2px}.key i.dash{border-top-style:dashed;border-top-width:2px}
.chart output{position:absolute;display:none;pointer-events:none;padding:6px 10px;border-radius:8px;background:var(--card);border:1px solid var(--line);box-shadow:0 4px 18px #0002;font-size:.84rem;white-space:nowrap;z-index:2}
.chart .hair{position:absolute;width:1px;background:var(--faint);opacity:.6;pointer-events:none}
.pair{display:grid;grid-template-columns:1fr 1fr;gap:6px 14px;margin-bottom:16px}.label{grid-column:1/-1;margin:0;font-weight:600}
blockquote{margin:0;padding:12px 14px;border-radius:10px;background:var(--paper);border:1px solid var(--line)}blockquote p{margin:4px 0 0;white-space:pre-wrap;overflow-wrap:anywhere}
cite{font-style:normal;color:var(--faint);font-size:.84rem}mark{background:none;color:var(--good);font-weight:600}
.tree{list-style:none;margin:4px 0 0;padding-left:18px;border-left:2px solid var(--line)}.tree li{padding:5px 0}.tree small{overflow-wrap:anywhere}
.role{display:inline-block;min-width:4.6em;color:var(--faint);font-size:.84rem}code,pre{font:13px/1.5 ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace}code{color:var(--faint)}
details{border-top:1px solid var(--line);padding:8px 0}details:first-of-type{border:0}summary{cursor:pointer}pre{overflow:auto;max-height:460px;padding:14px;border-radius:10px;background:var(--paper);border:1px solid var(--line)}
details td{overflow-wrap:anywhere}.events{margin:8px 0 0;padding-left:20px;font-size:.93rem}
.funnel .bars{min-width:120px;position:relative}.bars i,.bars b{display:block;height:7px;border-radius:4px}.bars i{background:var(--grid)}.bars b{margin-top:3px;background:var(--good)}
.funnel th{white-space:nowrap}blockquote{margin-top:8px}
footer{margin-top:28px;font-size:.88rem}
@media (max-width:640px){main{padding:20px 12px 48px}section{padding:16px 14px;border-radius:12px}.wide{display:none}.narrow{display:block}.pair{grid-template-columns:1fr}.outcome .num{white-space:normal;font-size:.93rem}.outcome .tag{display:block;width:fit-content;margin:3px 0 0 auto}th,td{padding:7px 6px}}
@media print{section{break-inside:avoid;border:0;padding:0}}
`;

export const SCRIPT = `
for (const figure of document.querySelectorAll(".chart")) {
  const plot = JSON.parse(figure.dataset.plot), output = figure.querySelector("output"), hair = figure.appendChild(document.createElement("div"));
  hair.className = "hair";
  const show = (visible) => { output.style.display = visible ? "block" : "none"; hair.style.display = output.style.display; };
  show(false);
  const text = (value) => value === null || value === undefined ? "–" : Math.abs(value) >= 1e4 ? Math.round(value).toLocaleString("en-US") : String(Number(value.toPrecision(4)));
  figure.addEventListener("pointermove", (event) => {
    const svg = [...figure.querySelectorAll("svg")].find((one) => one.getBoundingClientRect().width > 0);
    const box = svg.getBoundingClientRect(), home = figure.getBoundingClientRect(), scale = box.width / svg.viewBox.baseVal.width;
    const left = plot.left * scale, width = box.width - (plot.left + plot.right) * scale, part = (event.clientX - box.left - left) / width;
    if (part < 0 || part > 1 || event.clientY < box.top) return show(false);
    const x = plot.x.min + part * (plot.x.max - plot.x.min);
    output.replaceChildren();
    const head = output.appendChild(document.createElement("div"));
    head.textContent = text(plot.x.max - plot.x.min > 20 ? Math.round(x) : x);
    for (const line of plot.lines) {
      let nearest = 0;
      line.x.forEach((value, i) => { if (Math.abs(value - x) < Math.abs(line.x[nearest] - x)) nearest = i; });
      const row = output.appendChild(document.createElement("div"));
      row.textContent = line.label + "  " + text(line.y[nearest]);
      row.style.color = "var(--c" + (line.color % 6) + ")";
    }
    show(true);
    hair.style.left = event.clientX - home.left + "px";
    hair.style.top = box.top - home.top + plot.top * scale + "px";
    hair.style.height = box.height - (plot.top + plot.bottom) * scale + "px";
    output.style.left = Math.max(0, Math.min(event.clientX - home.left + 12, home.width - output.offsetWidth)) + "px";
    output.style.top = box.top - home.top + 8 + "px";
  });
  figure.addEventListener("pointerleave", () => show(false));
}
`;
