// What the two sides answer differently, by route and field, with an example of each.

import { card, h } from './dom.js';
import { count, moment } from './words.js';

export function differences(value, diffs) {
  const facts = `${count(diffs.compared)} compared, ${count(diffs.mismatched)} differed twice; of ${count(diffs.copied)} copies ${count(diffs.shed)} were not made.`;
  return card('Differences',
    h('div', { class: 'stack' },
      h('p', { class: 'small' }, facts),
      diffs.groups.length ? diffs.groups.map((group, at) => shown(value, group, at)) : h('p', { class: 'quiet' }, nothing(diffs)),
      diffs.suggestions.length > 0 && suggestions(diffs.suggestions)));
}

function nothing(diffs) {
  return diffs.compared === 0 ? 'Nothing was compared yet: mirror some reads first.' : 'No difference since the evidence began.';
}

function shown(value, group, at) {
  const { old, new: fresh } = group.example;
  const [markedOld, markedNew] = marked(old, fresh);
  return h('details', { id: `diff-${at}`, open: at === 0 },
    h('summary', {},
      h('code', {}, group.route), ' ', h('strong', {}, group.field || 'the whole body'),
      h('span', { class: 'quiet small' }, ` – ${group.kind}, ${count(group.count)} times, last `, moment(group.lastSeenMs, value.nowMs))),
    h('div', { class: 'stack' },
      h('div', { class: 'diff' },
        h('div', {}, h('div', { class: 'quiet small' }, 'old'), h('code', {}, markedOld)),
        h('div', {}, h('div', { class: 'quiet small' }, 'new'), h('code', {}, markedNew))),
      h('p', { class: 'small quiet' }, `In exchange ${group.example.exchange}, at ${group.example.pointer || 'the root'}. Values are digests unless compare.show lists the field.`),
      h('p', { class: 'small' }, 'Does it not matter? Add ', h('code', {}, JSON.stringify(group.field)), ' to ',
        h('code', {}, `migrations.${value.name}.compare.ignore`), ' and reload; the evidence begins anew.')));
}

/** What both have in common at their ends is plain, what lies between is marked. */
function marked(old, fresh) {
  let head = 0;
  while (head < old.length && head < fresh.length && old[head] === fresh[head]) head += 1;
  let tail = 0;
  while (tail < old.length - head && tail < fresh.length - head && old.at(-1 - tail) === fresh.at(-1 - tail)) tail += 1;
  return [old, fresh].map((text) => [text.slice(0, head), h('mark', {}, text.slice(head, text.length - tail)), text.slice(text.length - tail)]);
}

function suggestions(all) {
  return h('div', { class: 'stack small' },
    h('h3', {}, 'Old disagrees with itself here'),
    h('ul', { class: 'waits' }, all.map((one) => h('li', {}, h('code', {}, one.rule), ` in ${one.route}: a rule for compare.${one.list}?`))));
}
