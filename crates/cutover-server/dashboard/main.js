// The page: who looks, which view, and what keeps it fresh.

import { api, name, Refusal } from './api.js';
import { fill, h, spoken } from './dom.js';
import { listen } from './live.js';
import { login } from './login.js';
import { migration } from './migration.js';
import { overview } from './overview.js';
import { rollbackButton } from './orders.js';

const main = document.getElementById('main');
const bar = document.getElementById('bar');
const banner = document.getElementById('banner');

let me = null;
let view = null;

/** `#/` is the overview, `#/NAME` one migration. */
function asked() {
  const wanted = decodeURIComponent(location.hash.replace(/^#\/?/, ''));
  return wanted === '' ? null : wanted;
}

async function start() {
  try {
    me = await api.whoami();
  } catch (error) {
    if (error instanceof Refusal && (error.status === 401 || error.status === 429)) return askForToken();
    fill(main, failure(error, start));
    return;
  }
  listen(heard, connected);
  window.addEventListener('hashchange', show);
  await show();
}

function askForToken() {
  showBar(null);
  login(main, () => location.reload());
}

async function show() {
  const wanted = asked();
  view?.leave?.();
  view = wanted === null ? overview(main) : migration(main, wanted, me);
  document.title = wanted === null ? 'cutover' : `${wanted} · cutover`;
  showBar(wanted);
  main.focus({ preventScroll: true });
  window.scrollTo(0, 0);
  await refresh();
}

let refreshing = null;

/** One at a time: what is asked for meanwhile is asked once more afterwards. */
async function refresh() {
  if (refreshing) {
    refreshing.again = true;
    return;
  }
  refreshing = { again: false };
  const mine = view;
  try {
    await mine?.refresh();
  } catch (error) {
    if (error instanceof Refusal && error.status === 401) return askForToken();
    if (mine === view && !mine.shown) fill(main, failure(error, show));
  } finally {
    const { again } = refreshing;
    refreshing = null;
    if (again) await refresh();
  }
}

function heard(kind, data) {
  // What happens elsewhere does not touch the migration that is open.
  const elsewhere = kind !== 'sample' && data?.migration !== undefined && asked() !== null && data.migration !== asked();
  if (!elsewhere) refresh();
}

function connected(live) {
  banner.textContent = live ? '' : 'The connection to the proxy is lost. What you see may be old; trying again.';
  if (live) refresh();
}

/** The bar is the same everywhere; with a migration open, its rollback is at the right end. */
function showBar(wanted) {
  fill(bar,
    h('a', { class: 'brand', href: '#/' }, 'cutover'),
    h('span', { class: 'where' }, wanted ?? (me ? 'all migrations' : '')),
    h('span', { class: 'who', id: 'host', title: 'the proxy that is looked at' }, location.host),
    me && who(),
    me && wanted !== null && rollbackButton(wanted, refresh));
}

function who() {
  if (!me.login) {
    const button = h('button', { class: 'link who', id: 'who', onclick: rename }, name.get() || 'who are you?');
    button.title = 'The name that stands in the audit log. Nothing proves it: this listener has no tokens.';
    return button;
  }
  const leave = async () => {
    await api.logout();
    location.reload();
  };
  return h('span', { class: 'row' },
    h('span', { class: 'who' }, `${me.name} (${me.role})`),
    h('button', { class: 'link', id: 'logout', onclick: leave }, 'log out'));
}

function rename() {
  const input = h('input', { id: 'name', value: name.get(), maxlength: '60', autocomplete: 'name', required: true });
  const dialog = h('dialog', { 'aria-label': 'Your name' },
    h('form', {
      method: 'dialog',
      onsubmit: () => {
        name.set(input.value.trim());
        showBar(asked());
      },
    },
    h('label', { for: 'name' }, 'Your name, for the audit log'), input,
    h('div', { class: 'actions' }, h('button', { class: 'main' }, 'Keep'))));
  dialog.addEventListener('close', () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
}

function failure(error, again) {
  return h('div', { class: 'problem stack', role: 'alert' },
    h('strong', {}, error.title ?? 'It failed'),
    h('span', {}, spoken(error.message)),
    h('div', {}, h('button', { onclick: () => again() }, 'Try again')));
}

start();
