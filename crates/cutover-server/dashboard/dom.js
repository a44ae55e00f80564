// Elements from data. Text is always text: nothing here, and nothing that uses it, parses HTML.

/**
 * An element. `attributes` that begin with `on` are listeners; `class`, `data-…` and the like are set as they are; null
 * and false are left out. Children are elements, texts, or nothing.
 */
export function h(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (key.startsWith('on')) element.addEventListener(key.slice(2), value);
    else element.setAttribute(key, value === true ? '' : String(value));
  }
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/** Puts these children in place of those before, and keeps the focus where it was if its element has an id. */
export function fill(element, ...children) {
  const focused = element.contains(document.activeElement) ? document.activeElement.id : '';
  element.replaceChildren(...children.flat(Infinity).filter(Boolean));
  if (focused) document.getElementById(focused)?.focus();
}

/** A sentence of the API, in which commands stand between backticks. */
export function spoken(text) {
  return text.split('`').map((part, at) => (at % 2 ? h('code', {}, part) : part));
}

/** A card with a heading. */
export function card(title, ...children) {
  return h('section', { class: 'card' }, h('h2', {}, title), ...children);
}

/** A table: heads, rows of cells. A cell is a child, or `{ number }`. It becomes a stack on a phone. */
export function table(caption, heads, rows) {
  const isNumber = (value) => value !== null && typeof value === 'object' && 'number' in value;
  const cell = (value, at) => {
    const number = isNumber(value);
    return h('td', { class: number ? 'number' : null, 'data-head': heads[at] }, number ? value.number : value);
  };
  return h('div', { class: 'scroll' },
    h('table', { class: 'stacked', 'aria-label': caption },
      h('thead', {}, h('tr', {}, heads.map((head, at) => h('th', { scope: 'col', class: isNumber(rows[0]?.[at]) ? 'number' : null }, head)))),
      h('tbody', {}, rows.map((row) => h('tr', {}, row.map(cell))))));
}

const SHAPES = { ok: '●', pass: '✓', failed: '✕', fail: '✕', held: '❚❚', inconclusive: '…' };
const WORDS = { inconclusive: 'not yet known' };

/** A word with a shape, so that colour is never the only sign. */
export function tag(word) {
  return h('span', { class: `tag ${word}` }, h('span', { 'aria-hidden': 'true' }, SHAPES[word] ?? '○'), WORDS[word] ?? word);
}
