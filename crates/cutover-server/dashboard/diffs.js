// What the two sides answer differently, by route and field, with an example of each.

import { card, h } from './dom.js';
import { orderButton } from './orders.js';
import { count, moment } from './words.js';

export function differences(value, diffs, etag, again) {
  const facts = `${count(diffs.compared)} compared, ${count(diffs.mismatched)} differed twice; of ${count(diffs.copied)} copies ${count(diffs.shed)} were not made.`;
  return card('Differences',
    h('div', { class: 'stack' },
      h('p', { class: 'small' }, facts),
      diffs.groups.length ? diffs.groups.map((group, at) => shown({ value, etag, again }, group, at)) : h('p', { class: 'quiet' }, nothing(diffs)),
      diffs.added.length > 0 && added({ value, etag, again }, diffs.added),
      diffs.suggestions.length > 0 && suggestions(diffs.suggestions)));
}

function nothing(diffs) {
  return diffs.compared === 0 ? 'Nothing was compared yet: mirror some reads first.' : 'No difference since the evidence began.';
}

function shown({ value, etag, again }, group, at) {
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
      group.ignore.rule
        ? h('div', { class: 'row' }, orderButton({
          value, etag, again, verb: ':ignore', label: 'Ignore this field', barred: 'ignore', id: `ignore-${at}`,
          body: { rule: group.ignore.rule, list: group.ignore.list },
          says: `${group.ignore.list === 'unordered' ? 'The order of ' : ''}${group.ignore.rule} does not count from now on. The evidence begins anew, and approvals of it are void.`,
        }), h('code', {}, group.ignore.rule))
        : h('p', { class: 'small quiet' }, group.ignore.none)));
}

/** What both have in common at their ends is plain, what lies between is marked. */
function marked(old, fresh) {
  let head = 0;
  while (head < old.length && head < fresh.length && old[head] === fresh[head]) head += 1;
  let tail = 0;
  while (tail < old.length - head && tail < fresh.length - head && old.at(-1 - tail) === fresh.at(-1 - tail)) tail += 1;
  return [old, fresh].map((text) => [text.slice(0, head), h('mark', {}, text.slice(head, text.length - tail)), text.slice(text.length - tail)]);
}

function added({ value, etag, again }, rules) {
  const line = (rule, at) => h('li', {}, h('code', {}, rule.rule), ` (${rule.list}), by ${rule.by}: ${rule.reason} `, orderButton({
    value, etag, again, verb: ':unignore', label: 'Compare again', barred: 'unignore', id: `unignore-${at}`, body: { rule: rule.rule, list: rule.list },
    says: `${rule.rule} counts again. The evidence begins anew.`,
  }));
  return h('div', { class: 'stack small' },
    h('h3', {}, 'Left out by people'),
    h('p', { class: 'quiet' }, 'Better kept in ', h('code', {}, `migrations.${value.name}.compare`), ' of the configuration, where others read it.'),
    h('ul', { class: 'waits', id: 'added' }, rules.map(line)));
}

function suggestions(all) {
  return h('div', { class: 'stack small' },
    h('h3', {}, 'Old disagrees with itself here'),
    h('ul', { class: 'waits' }, all.map((one) => h('li', {}, h('code', {}, one.rule), ` in ${one.route}: a rule for compare.${one.list}?`))));
}
