// The admin API, as this page asks it. Who logs in is known by a cookie that scripts cannot read.

const NAME = 'cutover-name';

/** What the API refused, in its own words. */
export class Refusal extends Error {
  constructor(status, problem) {
    super(problem.detail ?? problem.title ?? `The proxy answered ${status}.`);
    this.status = status;
    this.title = problem.title ?? 'Refused';
    this.missing = problem.missing ?? [];
  }
}

/** Under this name orders are given where the listener has no tokens. */
export const name = {
  get: () => localStorage.getItem(NAME) ?? '',
  set: (text) => localStorage.setItem(NAME, text),
};

async function ask(method, path, { body, headers = {} } = {}) {
  const all = { ...headers, 'x-cutover-dashboard': '1' };
  if (name.get()) all['x-cutover-actor'] = name.get();
  if (body !== undefined) all['content-type'] = 'application/json';
  let reply;
  try {
    reply = await fetch(path, { method, headers: all, body: body && JSON.stringify(body), cache: 'no-store' });
  } catch {
    throw new Refusal(0, { title: 'No answer', detail: 'The proxy does not answer. Is it running, and the network up?' });
  }
  const text = await reply.text();
  let value = null;
  try { value = text ? JSON.parse(text) : null; } catch { /* Not ours: a proxy between. */ }
  if (!reply.ok) throw new Refusal(reply.status, value ?? {});
  return { value, etag: reply.headers.get('etag') };
}

const at = (migration, more = '') => `/admin/v1/migrations/${encodeURIComponent(migration)}${more}`;

export const api = {
  whoami: async () => (await ask('GET', '/admin/v1/whoami')).value,
  login: (token) => ask('POST', '/admin/v1/session', { body: { token } }),
  logout: () => ask('DELETE', '/admin/v1/session'),
  migrations: async () => (await ask('GET', '/admin/v1/migrations')).value.migrations,
  migration: (of) => ask('GET', at(of)),
  part: async (of, part) => (await ask('GET', at(of, `/${part}`))).value,
  /** An order, upon the state that was seen. The key makes a second click the same order. */
  order: async (of, verb, body, etag, key) => (await ask('POST', at(of, verb), {
    body,
    headers: { ...(etag ? { 'if-match': etag } : {}), ...(key ? { 'idempotency-key': key } : {}) },
  })).value,
};
