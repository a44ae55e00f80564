// All migrations: which one moves, is it well, what does it wait for.

import { api } from './api.js';
import { fill, h, table, tag } from './dom.js';
import { share } from './words.js';

export function overview(main) {
  const view = {
    shown: false,
    async refresh() {
      const migrations = await api.migrations();
      view.shown = true;
      fill(main, h('div', { class: 'stack' }, h('h1', {}, 'Migrations'), migrations.length ? listed(migrations) : nothing()));
    },
  };
  return view;
}

/** What hurts users comes first, then what needs somebody, then what moves; else the order of the configuration. */
function urgency({ health, phase, readPercent }) {
  if (health === 'failed') return readPercent === '0%' ? 1 : 0;
  return health === 'held' ? 1 : ['off', 'complete', 'retired'].includes(phase) ? 3 : 2;
}

function listed(all) {
  const migrations = all.toSorted((one, other) => urgency(one) - urgency(other));
  const bad = migrations.filter((migration) => migration.health !== 'ok').length;
  return h('section', { class: 'card stack' },
    h('p', { id: 'summary' }, `${migrations.length} in the configuration; ${bad === 0 ? 'none needs anybody' : `${bad} held or failed`}.`),
    table('Migrations', ['migration', 'health', 'stands at', 'users on new', 'errors of new', 'stopped by, or next'], migrations.map(row)));
}

function row(migration) {
  const link = h('a', { href: `#/${encodeURIComponent(migration.name)}`, id: `open-${migration.name}` }, migration.name);
  const served = migration.answered.find(({ side }) => side === 'new');
  const rate = served?.requests ? served.errors / served.requests : null;
  return [
    h('div', {}, link, h('div', { class: 'quiet small' }, `${migration.old} → ${migration.new}`)),
    tag(migration.health),
    h('span', { class: 'whole' }, migration.position ?? migration.phase),
    { number: migration.readPercent },
    { number: share(rate) },
    h('span', { class: 'small' }, waits(migration)),
  ];
}

/** One line: what stops it, or the next command. */
function waits(migration) {
  if (migration.held?.length) return migration.held[0];
  const missing = migration.next?.missing ?? [];
  if (missing.length) return missing.length === 1 ? missing[0].text : `${missing[0].text}; ${missing.length - 1} more`;
  return migration.next?.command ? h('span', { class: 'quiet' }, 'next: ', h('code', {}, `cutover ${migration.next.command}`)) : (migration.next?.because ?? '');
}

function nothing() {
  return h('section', { class: 'card stack' },
    h('h2', {}, 'No migration yet'),
    h('p', {}, 'This proxy routes, and moves nothing. Add ', h('code', {}, '[migrations.NAME]'), ' to the configuration, then ',
      h('code', {}, 'cutover reload'), '.'));
}
