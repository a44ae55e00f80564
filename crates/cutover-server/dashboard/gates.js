// Gates as rows: the answer, its numbers, and what is still missing.

import { card, h, table, tag } from './dom.js';
import { count, span } from './words.js';

const FAILS = { hold: 'waits', stop: 'stops until retry; users stay', 'roll-back': 'stops; reads go back to old' };

export function gates(value) {
  const rows = value.gates.map((gate) => [
    h('span', {}, gate.gate, gate.required ? '' : h('span', { class: 'quiet small' }, ' (not required)')),
    tag(gate.verdict),
    h('span', { class: 'small' }, gate.text),
    { number: gate.samples === null ? '–' : count(gate.samples) },
    h('span', { class: 'small' }, needs(gate)),
    h('span', { class: 'small' }, FAILS[gate.ifItFails] ?? '–'),
  ]);
  return card('Gates',
    rows.length ? table('Gates', ['gate', 'answer', 'evidence', 'samples', 'still needs', 'if it fails'], rows) : h('p', { class: 'quiet' }, 'No gate is asked in this phase.'));
}

function needs(gate) {
  if (gate.verdict === 'pass') return 'nothing';
  if (gate.verdict === 'fail') return 'to be mended, then retry';
  if (gate.cleanNeeded === null || gate.cleanNeeded === undefined) return 'evidence';
  const wait = gate.waitMs === null ? (gate.samples ? 'none comes in now' : 'none has come yet') : `about ${span(gate.waitMs)} at this rate`;
  return `${count(gate.cleanNeeded)} more without a fault; ${wait}`;
}
