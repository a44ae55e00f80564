// One migration: where it stands, how both sides do, what it waits for, what differs, who did what.

import { api } from './api.js';
import { approvals } from './approvals.js';
import { history } from './history.js';
import { charts } from './charts.js';
import { differences } from './diffs.js';
import { card, fill, h, tag } from './dom.js';
import { gates } from './gates.js';
import { verbs } from './orders.js';
import { sides } from './sides.js';
import { track } from './track.js';
import { moment, span } from './words.js';

export function migration(main, name, me) {
  const parts = {};
  for (const part of ['stands', 'waits', 'sides', 'charts', 'gates', 'diffs', 'people', 'history']) {
    parts[part] = h('div', { id: `part-${part}` });
  }
  const drawn = charts(parts.charts);
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
      fill(parts.stands, stands(value, cost));
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

function stands(value, cost) {
  const facts = [
    `${value.readPercent} of the users read from new (${value.new})`,
    `${value.writeOwner} takes writes`,
    `${value.mirrorPercent} of reads mirrored`,
    `breaker ${value.breaker}`,
  ];
  return card('Where it stands',
    h('div', { class: 'stack' },
      h('div', { class: 'row' }, tag(value.health), h('strong', { id: 'position' }, value.position),
        h('span', { class: 'quiet small' }, 'since ', moment(value.enteredMs, value.nowMs), `, generation ${value.generation}`)),
      track(value),
      h('p', { class: 'small', id: 'facts' }, facts.join(' · ')),
      (value.held ?? []).map((line) => h('p', { class: 'problem' }, line)),
      value.disabled && h('p', { class: 'problem' }, 'Disabled by the configuration: everything goes to old.'),
      value.trouble && h('p', { class: 'problem' }, `The store refuses: ${value.trouble}. Nothing moves until it can be written.`),
      h('p', { class: 'small quiet', id: 'cost' }, `A rollback now: ${cost.text}${cost.withinMs === null ? '' : `; in force within ${span(cost.withinMs)}`}.`)));
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
