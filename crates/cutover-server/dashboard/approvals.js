// What people think of the next move, and how to say one's own.

import { card, h, table } from './dom.js';
import { orderButton } from './orders.js';
import { moment } from './words.js';

export function approvals(value, etag, me, again) {
  const rows = value.approvals.map((opinion) => [
    `${opinion.by} (${opinion.role})`,
    opinion.approves ? 'approves' : 'rejects',
    opinion.to,
    h('code', {}, opinion.evidence.slice(0, 12)),
    opinion.reason,
    h('span', { class: 'small' }, moment(opinion.endsMs, value.nowMs)),
  ]);
  const evidence = value.evidence.slice(0, 12);
  const say = (approves) => orderButton({
    value, etag, again, verb: '/approvals', label: approves ? 'Approve' : 'Reject', barred: approves ? 'approve' : 'reject',
    body: { evidence: value.evidence, approves },
    says: `${approves ? 'Approve' : 'Reject'} ${value.next?.to ?? 'the next move'}, having seen the evidence ${evidence}. It ends when a gate fails.`,
  });
  return card('Approvals',
    h('div', { class: 'stack' },
      rows.length ? table('Approvals', ['who', 'says', 'of', 'evidence', 'reason', 'until'], rows) : h('p', { class: 'quiet' }, 'Nobody has said anything.'),
      value.next?.to && h('div', { class: 'row' }, say(true), say(false), h('span', { class: 'quiet small' }, 'evidence ', h('code', {}, evidence)))));
}
