// The log-in: a token is sent once, and kept by nobody here.

import { api } from './api.js';
import { fill, h, spoken } from './dom.js';

export function login(main, done) {
  const input = h('input', { id: 'token', type: 'password', autocomplete: 'off', spellcheck: 'false', required: true });
  const told = h('p', { role: 'alert' });
  const submit = async (event) => {
    event.preventDefault();
    try {
      await api.login(input.value.trim());
      done();
    } catch (error) {
      told.className = 'problem';
      fill(told, spoken(error.message));
      input.select();
    }
  };
  fill(main, h('section', { class: 'card login' },
    h('h1', {}, 'Log in'),
    h('form', { onsubmit: submit },
      h('p', { class: 'quiet small' }, 'With a token of this proxy. Whoever may edit its configuration makes one: ', h('code', {}, 'cutover token new'), ', and its line for ', h('code', {}, '[admin]'), '.'),
      h('label', { for: 'token' }, 'Token'), input, told,
      h('div', {}, h('button', { class: 'main' }, 'Log in')))));
  input.focus();
}
