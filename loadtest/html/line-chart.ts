/** Lines or dots over two axes: curves, time series, ladders. Pure: data in, SVG out. */
import { element, words } from './markup.ts';
import { scaleOf, tickText, type Scale, type ScaleKind } from './scale.ts';

export interface Line {
  readonly name: string;
  /** Which colour of the palette. */
  readonly color: number;
  readonly points: readonly (readonly [x: number, y: number])[];
  readonly dots?: boolean;
  readonly dashed?: boolean;
}

export interface Axis {
  readonly label: string;
  readonly kind?: ScaleKind;
  /** The range is at least this. */
  readonly from?: number;
  readonly to?: number;
}

/** A straight line across, with its words. */
export interface Rule {
  readonly axis: 'x' | 'y';
  readonly at: number;
  readonly label: string;
}

export interface LineChart {
  readonly x: Axis;
  readonly y: Axis;
  readonly lines: readonly Line[];
  readonly rules?: readonly Rule[];
}

const size = { width: 560, height: 300 };
/** Room for the labels of the ticks and the axes. */
const margin = { top: 26, right: 22, bottom: 48, left: 58 };
const plot = { width: size.width - margin.left - margin.right, height: size.height - margin.top - margin.bottom };

export function lineChart(chart: LineChart): string {
  const { lines, rules = [] } = chart;
  const values = (axis: 'x' | 'y'): number[] => [
    ...lines.flatMap(({ points }) => points.map((point) => point[axis === 'x' ? 0 : 1])),
    ...rules.filter((rule) => rule.axis === axis).map(({ at }) => at),
  ];
  const x = axisScale(chart.x, values('x'), plot.width);
  const y = axisScale(chart.y, values('y'), plot.height);
  const marks = [
    ...lines.map((line) => drawLine(line, x, y)),
    ...rules.map((rule) => drawRule(rule, rule.axis === 'x' ? x : y)),
  ];
  const drawn = element('g', { transform: `translate(${margin.left} ${margin.top})` }, [
    ...drawAxes(chart, x, y),
    ...marks,
  ]);
  const label = `${chart.y.label} over ${chart.x.label}`;
  return element('svg', { viewBox: `0 0 ${size.width} ${size.height}`, role: 'img', 'aria-label': label }, [drawn]);
}

function axisScale({ kind = 'linear', from, to }: Axis, values: readonly number[], lengthPx: number): Scale {
  const known = values.filter((value) => Number.isFinite(value) && (kind === 'linear' || value > 0));
  const low = known.reduce((least, value) => Math.min(least, value), from ?? Infinity);
  const high = known.reduce((most, value) => Math.max(most, value), to ?? -Infinity);
  const start = Number.isFinite(low) ? low : kind === 'log' ? 1 : 0;
  return scaleOf(kind, start, Number.isFinite(high) ? high : start + 1, lengthPx);
}

function drawAxes(chart: LineChart, x: Scale, y: Scale): string[] {
  const { width, height } = plot;
  const upright = (value: number): string => {
    const at = x.place(value);
    const anchor = { x: at, y: height + 20, class: 'tick', 'text-anchor': 'middle' };
    return (
      element('line', { x1: at, x2: at, y1: 0, y2: height, class: 'grid' }) + element('text', anchor, [tickText(value)])
    );
  };
  const level = (value: number): string => {
    const at = height - y.place(value);
    const anchor = { x: -8, y: at + 4, class: 'tick', 'text-anchor': 'end' };
    return (
      element('line', { x1: 0, x2: width, y1: at, y2: at, class: 'grid' }) + element('text', anchor, [tickText(value)])
    );
  };
  return [
    ...x.ticks.map(upright),
    ...y.ticks.map(level),
    element('text', { x: width, y: height + 38, class: 'axis', 'text-anchor': 'end' }, [words(chart.x.label)]),
    element('text', { x: -margin.left + 4, y: -12, class: 'axis' }, [words(chart.y.label)]),
  ];
}

function drawLine({ name, color, points, dots, dashed }: Line, x: Scale, y: Scale): string {
  const placed = points.map(([valueX, valueY]) => [x.place(valueX), plot.height - y.place(valueY)] as const);
  const title = element('title', {}, [words(name)]);
  const style = `c${color}`;
  if (dots === true || placed.length === 1) {
    const circles = placed.map(([cx, cy]) => element('circle', { cx, cy, r: dots === true ? 2.5 : 4 }));
    return element('g', { class: `dots ${style}` }, [title, ...circles]);
  }
  const path = placed.map(([px, py], index) => `${index === 0 ? 'M' : 'L'}${px.toFixed(1)} ${py.toFixed(1)}`).join('');
  const strokes = element('path', { d: path, class: dashed === true ? 'dashed' : undefined });
  return element('g', { class: `line ${style}` }, [title, strokes]);
}

function drawRule({ axis, at, label }: Rule, scale: Scale): string {
  const place = scale.place(at);
  if (axis === 'y') {
    const height = plot.height - place;
    const text = element('text', { x: 6, y: height - 5, class: 'rule' }, [words(label)]);
    return element('line', { x1: 0, x2: plot.width, y1: height, y2: height, class: 'rule' }) + text;
  }
  // Words that would run out of the frame stand on the other side of their line.
  const left = place > plot.width / 2;
  const anchor = { x: place + (left ? -6 : 6), y: 14, class: 'rule', 'text-anchor': left ? 'end' : 'start' };
  const line = element('line', { x1: place, x2: place, y1: 0, y2: plot.height, class: 'rule' });
  return line + element('text', anchor, [words(label)]);
}
