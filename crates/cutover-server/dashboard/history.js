// The audit trail: who moved what, when and why, the newest first.

import { card, h } from './dom.js';
import { moment } from './words.js';

export function history(records, nowMs) {
  const line = (record) => h('li', {},
    h('div', { class: 'row spread' }, h('strong', {}, record.event), h('span', { class: 'quiet small' }, moment(record.at_ms, nowMs))),
    h('div', { class: 'small' }, `${record.from.text} → ${record.to.text}`),
    h('div', { class: 'small quiet' }, `${record.by} (${record.role}): ${record.why || 'no reason given'} · ${record.seq}:${record.hash.slice(0, 12)}`));
  return card('What happened',
    records.length ? h('ol', { class: 'waits', reversed: true, id: 'history' }, records.map(line)) : h('p', { class: 'quiet' }, 'Nothing yet: it stands where the configuration put it.'));
}
