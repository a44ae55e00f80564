// Old and new side by side: the last minutes in numbers.

import { card, h, table } from './dom.js';
import { count, ms, share } from './words.js';

const FIVE_MINUTES_MS = 300_000;

/** The end of a list of the series: what it has of the last so many milliseconds. */
function newest(list, { stepMs }, lastMs) {
  return list.slice(-Math.ceil(lastMs / stepMs));
}

function total(list) {
  return list.reduce((all, one) => all + (one ?? 0), 0);
}

/** Requests a second that users have had answered by new in the last minute. */
export function rateOnNew(series) {
  const steps = newest(series.new.requests, series, 60_000);
  return steps.length ? (1000 * total(steps)) / (steps.length * series.stepMs) : 0;
}

export function sides(value, series) {
  const sum = (list) => total(newest(list, series, FIVE_MINUTES_MS));
  const last = (list) => newest(list, series, FIVE_MINUTES_MS).findLast((one) => one !== null) ?? null;
  const row = (who, side) => {
    const requests = sum(side.requests);
    return [
      who,
      { number: count(requests) },
      { number: requests ? share(sum(side.errors) / requests) : '–' },
      { number: ms(last(side.p50Ms)) },
      { number: ms(last(side.p95Ms)) },
      { number: ms(last(side.p99Ms)) },
    ];
  };
  const named = (side, backend) => (backend === side ? side : `${side} (${backend})`);
  const rows = [row(named('old', value.old), series.old), row(named('new', value.new), series.new)];
  if (sum(series.newCopies.requests)) rows.push(row('copies to new', series.newCopies));
  const old = sum(series.old.requests);
  const now = old + sum(series.new.requests) ? sum(series.new.requests) / (old + sum(series.new.requests)) : null;
  const part = h('span', { class: 'of-new' });
  part.style.width = `${100 * (now ?? 0)}%`;
  return card('Both sides, last five minutes',
    h('div', { class: 'stack' },
      h('div', { class: 'share' },
        h('div', { class: 'row spread small' }, h('span', {}, `old ${share(now === null ? null : 1 - now, 1)}`), h('span', { id: 'share' }, `new ${share(now, 1)}`)),
        h('div', { class: 'both', 'aria-hidden': 'true' }, h('span', { class: 'of-old' }), part)),
      table('Both sides', ['side', 'requests', 'errors', 'p50', 'p95', 'p99'], rows),
      h('p', { class: 'quiet small' }, `${count(sum(series.fallbacks))} reads failed on new and were answered by old.`)));
}
