// Orders: a button, a reason, one confirmation, and what came of it.

import { api } from './api.js';
import { fill, h, spoken } from './dom.js';
import { span } from './words.js';

/** Verbs beside the step forward. `shown` says when one makes sense; `asks` is the one thing it needs to be told. */
const MORE = [
  { verb: ':mirrorTraffic', label: 'Mirror', barred: 'mirror-traffic', asks: ['percent', 'Share of reads to mirror, in percent'], shown: ({ phase }) => ['shadow', 'canary', 'reads-new'].includes(phase) },
  { verb: ':setWeight', label: 'Set weight', barred: 'set-weight', asks: ['percent', 'Share of users who read from new, in percent'], shown: ({ phase }) => phase === 'canary' },
  { verb: ':pause', label: 'Pause', barred: 'pause', shown: ({ overlays }) => !overlays.includes('paused') },
  { verb: ':freeze', label: 'Freeze', barred: 'freeze', shown: ({ overlays }) => !overlays.includes('frozen') },
  { verb: ':resume', label: 'Resume', barred: 'resume', shown: ({ overlays }) => overlays.includes('paused') || overlays.includes('frozen') },
  { verb: ':drill', label: 'Drill', barred: 'drill', shown: ({ phase }) => ['canary', 'reads-new'].includes(phase), says: 'Takes reads back on live traffic, measures it, and restores.' },
  { verb: ':retry', label: 'Retry', barred: 'retry', shown: ({ health }) => health === 'failed', says: 'Back to shadow; the evidence begins anew. Do it when it is mended.' },
  { verb: ':switchTraffic', label: 'Switch all reads', barred: 'switch-traffic', body: { reads: true }, shown: ({ phase }) => phase === 'canary', says: 'Everybody reads from new, for good.' },
  { verb: ':complete', label: 'Complete', barred: 'complete', asks: ['confirm', 'Type the migration’s name: there is no way back'], shown: ({ phase }) => phase === 'reads-new' },
  { verb: ':abort', label: 'Abort', barred: 'abort', shown: ({ phase }) => ['shadow', 'canary'].includes(phase), says: 'Gives the attempt up: back to off.' },
];

/** All that can be ordered now, except the rollback, which has its own place. */
export function verbs(value, etag, again) {
  const missing = value.next?.missing ?? [];
  const promote = value.next?.to && value.next.to !== 'complete' && orderButton({
    value, etag, again, verb: ':promote', label: 'Promote', barred: 'promote', main: true, plans: true,
    stops: missing.length ? `Not yet: ${missing.map((blocker) => blocker.text).join('; ')}` : null,
    says: `To ${value.next.to}.`,
  });
  const more = MORE.filter((order) => order.shown(value)).map((order) => orderButton({ value, etag, again, ...order }));
  return h('div', { class: 'row' }, promote, more);
}

/** A button that opens a dialog. What its role or the state forbids stays focusable, and says why. */
export function orderButton(order) {
  const { value, label, barred, main, stops } = order;
  const why = value.barred?.[barred] ?? stops ?? null;
  const id = order.id ?? `order-${barred}`;
  const button = h('button', {
    id, class: main ? 'main' : null, type: 'button', 'aria-disabled': why ? 'true' : null, title: why,
    'aria-describedby': why ? `${id}-why` : null, onclick: () => !why && confirm(order),
  }, `${label}…`);
  return why ? h('span', {}, button, h('span', { class: 'skip', id: `${id}-why` }, why)) : button;
}

async function confirm({ value, etag, again, verb, label, asks, body, says, plans }) {
  const told = h('div', { role: 'alert' });
  const plan = h('div', { class: 'small' });
  const reason = h('input', { id: 'reason', required: true, maxlength: '500', autocomplete: 'off' });
  const asked = asks && h('input', { id: 'asked', required: true, autocomplete: 'off' });
  // The same key for every click of this dialog: a second one repeats the first one's answer.
  const key = crypto.randomUUID();
  const submit = async () => {
    const whole = { ...body, reason: reason.value.trim() };
    if (asks) whole[asks[0]] = asked.value.trim();
    const done = await api.order(value.name, verb, whole, etag, key);
    await again();
    return done;
  };
  const dialog = ask({
    title: `${label}: ${value.name}`, told, submit, button: label,
    content: [says && h('p', {}, says), plan, asks && [h('label', { for: 'asked' }, asks[1]), asked], h('label', { for: 'reason' }, 'Reason, for the audit log'), reason],
  });
  (asked ?? reason).focus();
  if (plans) {
    const { actions, warnings } = await api.order(value.name, verb, { reason: 'looking', dryRun: true }, etag).catch((error) => ({ actions: [error.message], warnings: [] }));
    if (dialog.open) fill(plan, h('ol', {}, actions.map((action) => h('li', {}, action))), warnings.map((warning) => h('p', {}, warning)));
  }
}

/** The way back, always at the same place. */
export function rollbackButton(name, again) {
  return h('button', { class: 'danger', id: 'rollback', type: 'button', onclick: () => rollback(name, again) }, 'Roll back…');
}

async function rollback(name, again) {
  const told = h('div', { role: 'alert' });
  const cost = h('p', {}, 'Asking what it would do…');
  const reason = h('input', { id: 'reason', required: true, maxlength: '500', autocomplete: 'off' });
  const key = crypto.randomUUID();
  const submit = async () => {
    const done = await api.order(name, ':rollback', { reason: reason.value.trim() }, null, key);
    await again();
    return done;
  };
  const dialog = ask({
    title: `Roll back ${name}`, told, submit, button: 'Roll back now', danger: true,
    content: [cost, h('label', { for: 'reason' }, 'Reason, for the audit log'), reason],
  });
  reason.focus();
  try {
    const [{ value }, { text, possible, withinMs }] = await Promise.all([api.migration(name), api.part(name, 'rollback-cost')]);
    const barred = value.barred?.rollback;
    const soon = withinMs === null ? '' : `; in force within ${span(withinMs)}. Another attempt begins with Retry`;
    cost.textContent = barred ?? `${text}${soon}.`;
    if (barred || !possible) {
      cost.className = 'problem';
      dialog.querySelector('#confirm').setAttribute('aria-disabled', 'true');
    }
  } catch (error) {
    cost.textContent = `${error.message} A rollback can still be tried.`;
  }
}

/** A dialog with one confirmation. Escape and Cancel leave everything as it is. */
function ask({ title, content, told, submit, button, danger }) {
  const confirmed = h('button', { class: danger ? 'danger' : 'main', id: 'confirm' }, button);
  const cancel = h('button', { type: 'button', onclick: () => dialog.close() }, 'Cancel');
  const form = h('form', {
    onsubmit: async (event) => {
      event.preventDefault();
      if (confirmed.getAttribute('aria-disabled') === 'true') return;
      confirmed.setAttribute('aria-disabled', 'true');
      try {
        const done = await submit();
        fill(told, h('p', { class: 'done', id: 'told' }, `${done.from} → ${done.to}: in force after ${took(done.tookMicros)}. Receipt ${done.receipt}.`), done.warnings.map((warning) => h('p', {}, warning)));
        confirmed.remove();
        cancel.textContent = 'Close';
        cancel.focus();
      } catch (error) {
        confirmed.removeAttribute('aria-disabled');
        fill(told, h('div', { class: 'problem', id: 'told' }, h('p', {}, spoken(error.message)), h('ul', { class: 'waits' }, (error.missing ?? []).map((blocker) => h('li', {}, blocker.text)))));
      }
    },
  }, h('h2', {}, title), content.flat(2).filter(Boolean), told, h('div', { class: 'actions' }, cancel, confirmed));
  const dialog = h('dialog', { 'aria-label': title }, form);
  dialog.addEventListener('close', () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
  return dialog;
}

function took(micros) {
  return micros < 1_000_000 ? `${(micros / 1000).toFixed(1)} ms` : `${(micros / 1e6).toFixed(2)} s`;
}
