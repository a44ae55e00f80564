// One migration: where it stands, how both sides do, what it waits for, what differs, who did what.

import { api } from './api.js';
import { approvals } from './approvals.js';
import { history } from './history.js';
import { charts } from './charts.js';
import { differences } from './diffs.js';
import { card, fill, h, tag } from './dom.js';
import { gates } from './gates.js';
import { verbs } from './orders.js';
import { rateOnNew, sides } from './sides.js';
import { track } from './track.js';
import { lasting, span } from './words.js';

export function migration(main, name, me) {
  const parts = {};
  for (const part of ['stands', 'waits', 'sides', 'charts', 'gates', 'diffs', 'people', 'history']) {
    parts[part] = h('div', { id: `part-${part}` });
  }
  const drawn = charts(parts.charts);
  let phase = null;
  const view = {
    shown: false,
    leave: () => drawn.leave(),
    async refresh() {
      const [{ value, etag }, series, diffs, lines, cost] = await Promise.all([
        api.migration(name), api.part(name, 'series'), api.part(name, 'diffs'), api.part(name, 'history?limit=20'),
        api.part(name, 'rollback-cost'),
      ]);
      if (!view.shown) fill(main, layout(name, parts));
      view.shown = true;
      const again = () => view.refresh();
      const scrolled = value.phase === phase ? document.getElementById('track')?.scrollLeft ?? null : null;
      phase = value.phase;
      fill(parts.stands, stands(value, cost, series));
      bringHere(document.getElementById('track'), scrolled);
      fill(parts.waits, waits(value, etag, again));
      fill(parts.sides, sides(value, series));
      drawn.draw(series);
      fill(parts.gates, gates(value));
      fill(parts.diffs, differences(value, diffs, etag, again));
      fill(parts.people, approvals(value, etag, me, again));
      fill(parts.history, history(lines.records, value.nowMs));
    },
  };
  return view;
}

function layout(name, parts) {
  return [
    h('h1', { class: 'skip' }, name),
    parts.stands,
    h('div', { class: 'columns' }, parts.waits, parts.sides),
    parts.charts,
    parts.gates,
    parts.diffs,
    h('div', { class: 'columns' }, parts.people, parts.history),
  ];
}

/** A new phase comes into sight, also on a phone; as long as it stays, what was scrolled to does. */
function bringHere(phases, scrolled) {
  const here = phases.querySelector('.here');
  phases.scrollLeft = scrolled ?? (here ? here.offsetLeft - phases.offsetLeft - (phases.clientWidth - here.clientWidth) / 2 : 0);
}

/** What went wrong, what follows by itself, and where to look. */
function wrong(value) {
  const failing = value.gates.filter((gate) => gate.verdict === 'fail');
  const lines = value.held?.length ? value.held : failing.map((gate) => gate.text);
  const look = [value.latch, ...failing.map((gate) => gate.gate)].includes('mismatch') && h('button', {
    class: 'link', id: 'to-differences', onclick: () => document.getElementById('part-diffs').scrollIntoView(),
  }, 'what differs');
  const follows = whatFollows(value, failing);
  return lines.length > 0 && h('div', { class: value.health === 'failed' ? 'problem stack' : 'warning stack' },
    lines.map((line) => h('p', {}, line)), follows && h('p', { class: 'small' }, follows), look && h('p', { class: 'small' }, look));
}

/** Of a failure, for users on new. Where reads are on their way back already, that is said beside it. */
function whatFollows(value, failing) {
  const stops = value.latch !== null || failing.some((gate) => gate.ifItFails !== 'hold');
  if (value.withdrawal !== null || value.readPercent === '0%' || !(value.latch || failing.length)) return null;
  if (!stops) return `${value.readPercent} of the users stay on new; it goes no further while this fails.`;
  const back = value.latch === null && failing.some((gate) => gate.ifItFails === 'roll-back');
  return `${value.readPercent} of the users stay on new: ${back ? 'reads go back by themselves once the failure is confirmed' : 'nothing goes back by itself for this'}. Roll back, or mend it and retry.`;
}

function stands(value, cost, series) {
  const facts = [
    `${value.readPercent} of the users read from new${value.new === 'new' ? '' : ` (${value.new})`}`,
    `${value.writeOwner} takes writes`,
    `${value.mirrorPercent} of reads mirrored`,
    `breaker ${value.breaker}`,
  ];
  return card('Where it stands',
    h('div', { class: 'stack' },
      h('div', { class: 'row' }, tag(value.health), h('strong', { id: 'position' }, value.position),
        h('span', { class: 'quiet small' }, lasting(value.enteredMs, value.nowMs), `, generation ${value.generation}`)),
      track(value),
      h('p', { class: 'small', id: 'facts' }, facts.join(' · ')),
      wrong(value),
      value.disabled && h('p', { class: 'problem' }, 'Disabled by the configuration: everything goes to old.'),
      value.trouble && h('p', { class: 'problem' }, `The store refuses: ${value.trouble}. Nothing moves until it can be written.`),
      h('p', { class: 'small', id: 'cost' }, h('strong', {}, 'A rollback now: '), `${cost.text}${cost.withinMs === null ? '' : `; about ${rateOnNew(series).toFixed(1)} requests a second move, within ${span(cost.withinMs)}`}.`)));
}

function waits(value, etag, again) {
  const { next } = value;
  const missing = next?.missing ?? [];
  const line = (blocker) => h('li', {}, blocker.text, blocker.leftMs ? ` (${span(blocker.leftMs)})` : '');
  return card(next?.to ? `Next: ${next.to}` : 'Next',
    h('div', { class: 'stack', id: 'waits' },
      missing.length ? h('ul', { class: 'waits' }, missing.map(line)) : h('p', {}, next?.to ? 'Nothing is missing.' : (next?.because ?? '')),
      next?.command && h('p', { class: 'small' }, h('code', {}, `cutover ${next.command}`), next.because ? ` – ${next.because}` : ''),
      verbs(value, etag, again)));
}
