// Charts of the last hour: share, errors, latency, comparisons. Old is dashed, new is solid, a gate's limit or an aim is dotted.

import { card, fill, h } from './dom.js';
import { ms, share } from './words.js';
import uPlot from './vendor/uPlot.esm.js';

const HEIGHT = 180;

/**
 * Times below a chart, as uPlot wants them: from so many seconds between two of them, what each says, and what the first one
 * of a year, month, day, hour, minute and second adds to it.
 */
const TIMES = [
  [86_400, '{YYYY}-{MM}-{DD}', null, null, null, null, null, null, 1],
  [60, '{HH}:{mm}', null, null, '\n{YYYY}-{MM}-{DD}', null, null, null, 1],
  [1, '{HH}:{mm}:{ss}', null, null, '\n{YYYY}-{MM}-{DD}', null, null, null, 1],
];

/** What is drawn: a title, lines from the series, and how a value is said. */
const CHARTS = [
  {
    title: 'Share of requests answered by new', say: share,
    lines: (s) => [['new', 'new', s.share], ['aim', 'users on new, as set', s.readPercent.map((percent) => percent / 100)]],
  },
  {
    title: 'Error rate', say: share,
    lines: (s) => [
      ['old', 'old', rates(s.old)], ['new', 'new', rates(seen(s))],
      ['limit', 'gate', s.limits.errors === null ? null : s.t.map(() => s.limits.errors)],
    ],
  },
  ...[['p50', 'p50Ms'], ['p95', 'p95Ms'], ['p99', 'p99Ms']].map(([title, key]) => ({
    title: `Latency ${title}`, say: ms,
    lines: (s) => [
      ['old', 'old', s.old[key]], ['new', 'new', seen(s)[key]],
      // The bar of the gate is one for the slowest hundredth.
      ['limit', 'gate', key === 'p99Ms' && s.limits.latencyMs !== null ? s.t.map(() => s.limits.latencyMs) : null],
    ],
  })),
  {
    title: 'Comparisons that differed', say: share,
    lines: (s) => [
      ['new', 'differed', s.mismatched.map((bad, at) => (s.compared[at] ? bad / s.compared[at] : null))],
      ['limit', 'gate', s.limits.mismatch === null ? null : s.t.map(() => s.limits.mismatch)],
    ],
  },
];

/** What is known of new: as long as no user reads from it, what copies got. */
function seen(series) {
  return series.new.requests.some((requests) => requests > 0) ? series.new : series.newCopies;
}

function rates(side) {
  return side.requests.map((requests, at) => (requests ? side.errors[at] / requests : null));
}

export function charts(place) {
  let plots = [];
  let places = null;
  const leave = () => {
    plots.forEach((plot) => plot?.destroy());
    plots = [];
    removeEventListener('resize', resize);
    dark.removeEventListener('change', redraw);
  };
  const resize = () => plots.forEach((plot, at) => plot?.setSize({ width: places[at].clientWidth, height: HEIGHT }));
  const dark = matchMedia('(prefers-color-scheme: dark)');
  let latest = null;
  const redraw = () => {
    plots.forEach((plot) => plot?.destroy());
    plots = [];
    if (latest) draw(latest);
  };
  addEventListener('resize', resize);
  dark.addEventListener('change', redraw);

  function draw(series) {
    latest = series;
    if (!places) {
      places = CHARTS.map(() => h('div'));
      fill(place, h('div', { class: 'columns' }, CHARTS.map((chart, at) => card(chart.title, places[at]))));
    }
    CHARTS.forEach((chart, at) => {
      const lines = chart.lines(series).filter(([, , values]) => values !== null);
      const measured = lines.filter(([kind]) => !['limit', 'aim'].includes(kind)).some(([, , values]) => values.some((value) => value !== null));
      if (!measured) {
        plots[at]?.destroy();
        plots[at] = null;
        fill(places[at], h('div', { class: 'chart' }, h('p', { class: 'empty' }, 'Nothing measured in the last hour.')));
        return;
      }
      const data = [series.t.map((time) => time / 1000), ...lines.map(([, , values]) => values)];
      if (plots[at] && plots[at].series.length === data.length) {
        plots[at].setData(data);
        caption(places[at], chart, lines);
        return;
      }
      plots[at]?.destroy();
      plots[at] = newPlot(places[at], chart, lines, data);
    });
  }

  return { draw, leave };
}

function newPlot(place, chart, lines, data) {
  const style = getComputedStyle(document.documentElement);
  const colour = (name) => style.getPropertyValue(`--${name}`).trim();
  const axis = { stroke: colour('soft'), grid: { stroke: colour('line'), width: 1 }, ticks: { show: false }, font: '11px system-ui, "DejaVu Sans", sans-serif' };
  const canvas = h('div', { role: 'img' });
  fill(place, h('figure', { class: 'chart' }, h('figcaption', { class: 'small' }), canvas));
  caption(place, chart, lines);
  const dashes = { old: [6, 4], limit: [2, 3], aim: [2, 3] };
  return new uPlot({
    width: place.clientWidth || 480,
    height: HEIGHT,
    cursor: { show: false },
    legend: { show: false },
    scales: { x: { time: true }, y: { range: (_, low, high) => [0, Math.max(high ?? 0, low ?? 0) * 1.1 || 1] } },
    axes: [{ ...axis, space: 56, values: TIMES }, { ...axis, size: 64, values: (_, ticks) => ticks.map((tick) => chart.say(tick)) }],
    series: [{}, ...lines.map(([kind]) => ({ stroke: colour(kind === 'aim' ? 'soft' : kind), width: 2, dash: dashes[kind], spanGaps: true, points: { show: false } }))],
  }, data, canvas);
}

/** The latest values in words, for everybody who does not see lines. */
function caption(place, chart, lines) {
  const latest = (values) => chart.say(values.findLast((value) => value !== null) ?? null);
  fill(place.querySelector('figcaption'),
    h('span', {}, lines.map(([, name, values]) => `${name} ${latest(values)}`).join(' · ')),
    h('span', { class: 'legend', 'aria-hidden': 'true' }, lines.map(([kind, name]) => h('span', { class: kind }, name))));
  place.querySelector('[role=img]').setAttribute('aria-label',
    `${chart.title}, now: ${lines.map(([, name, values]) => `${name} ${latest(values)}`).join(', ')}`);
}
