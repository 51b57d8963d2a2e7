/** How the page looks: light and dark as the reader's system is, ink on paper when printed. */

/** Colours that are told apart by most kinds of colour-blindness, on white and on near-black. */
const light = ['#1f6fd1', '#c2530b', '#12805c', '#7a3fc4', '#b8326f', '#7d6200', '#0b7d96', '#5d636b'];
const dark = ['#6fb0ff', '#ff9d57', '#4fd1a0', '#c19bff', '#ff8bbb', '#dcbf4c', '#58cbe4', '#aab1bb'];

export const paletteSize = light.length;

const variables = (palette: readonly string[], rest: string): string =>
  `${palette.map((color, index) => `--c${index}:${color}`).join(';')};${rest}`;

const classes = light.map((_, index) => `.c${index}{--c:var(--c${index})}`).join('\n');

export const stylesheet = `
:root{color-scheme:light;${variables(light, '--ink:#16181d;--muted:#5a616b;--paper:#fff;--panel:#f6f7f9;--grid:#dfe3e8;--bad:#b3261e;--good:#12703f')}}
@media screen and (prefers-color-scheme:dark){:root{color-scheme:dark;${variables(dark, '--ink:#e8eaee;--muted:#a2a9b4;--paper:#131519;--panel:#1c1f25;--grid:#343a43;--bad:#ff8a80;--good:#6fdc9f')}}}
${classes}
*{box-sizing:border-box}
body{margin:0 auto;padding:28px 24px 48px;max-width:1200px;background:var(--paper);color:var(--ink);font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"DejaVu Sans",sans-serif}
h1{font-size:26px;line-height:1.2;margin:0 0 6px}
h2{font-size:17px;margin:34px 0 10px}
p{margin:2px 0;color:var(--muted)}
.warning{color:var(--bad);font-weight:600}
.tiles{display:flex;flex-wrap:wrap;gap:12px;margin:20px 0 4px;padding:0;list-style:none}
.tiles li{background:var(--panel);border-left:4px solid var(--c);border-radius:6px;padding:10px 16px;min-width:150px}
.tiles b{display:block;font-size:24px;line-height:1.25;font-variant-numeric:tabular-nums}
.tiles span{display:block;color:var(--muted);font-size:13px}
.charts{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,500px),1fr));gap:18px;align-items:start}
figure{margin:0;padding:14px 16px 8px;background:var(--panel);border-radius:8px}
figcaption{font-weight:600;margin-bottom:2px}
figcaption small{display:block;font-weight:400;font-size:13px;color:var(--muted)}
.legend{display:flex;flex-wrap:wrap;gap:2px 16px;margin:6px 0 2px;padding:0;list-style:none;font-size:13px}
.legend li::before{content:"";display:inline-block;width:12px;height:12px;margin-right:6px;border-radius:3px;background:var(--c);vertical-align:-1px}
svg{display:block;width:100%;height:auto;font:12px system-ui,-apple-system,"Segoe UI",Roboto,"DejaVu Sans",sans-serif}
svg text{fill:var(--ink)}
svg .tick,svg .axis{fill:var(--muted)}
svg .grid{stroke:var(--grid);stroke-width:1}
svg .line path{fill:none;stroke:var(--c);stroke-width:2;stroke-linejoin:round}
svg .dashed{stroke-dasharray:5 4}
svg .dots circle,svg .bar circle,svg .bar rect{fill:var(--c)}
svg .dots circle{fill-opacity:.75}
svg .thread{stroke:var(--c);stroke-width:2;stroke-opacity:.5}
svg line.rule{stroke:var(--ink);stroke-width:1;stroke-dasharray:3 3}
svg text.rule{fill:var(--ink);font-weight:600;paint-order:stroke;stroke:var(--panel);stroke-width:4px}
.scroll{overflow-x:auto;margin-bottom:26px}
table{border-collapse:collapse;font-size:13px;font-variant-numeric:tabular-nums;width:100%}
caption{text-align:left;color:var(--muted);padding-bottom:6px}
th,td{padding:5px 10px;border-bottom:1px solid var(--grid);text-align:left;white-space:nowrap}
th{color:var(--muted);font-weight:600;font-size:12px}
.number{text-align:right}
.bad{color:var(--bad);font-weight:600}
ul.notes{padding-left:20px;overflow-wrap:anywhere}
@page{margin:12mm}
@media print{
body{padding:0;max-width:none;font-size:11px}
h2{break-after:avoid}
figure,tr,.tiles li{break-inside:avoid}
figure,.tiles li{border:1px solid var(--grid);background:none}
.charts{grid-template-columns:1fr 1fr;gap:10px}
figure{padding:8px}
figcaption{font-size:11px}
figcaption small,.legend,.tiles span{font-size:9px}
.legend li::before{width:9px;height:9px}
.tiles b{font-size:17px}
h1{font-size:20px}
h2{font-size:14px;margin:18px 0 6px}
svg{font-size:13.5px}
.scroll{overflow:visible;margin-bottom:12px}
table{font-size:8.5px}
th{font-size:8px}
th,td{padding:3px 4px;white-space:normal}
*{print-color-adjust:exact;-webkit-print-color-adjust:exact}
}
`;
