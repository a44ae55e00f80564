// What the server tells by itself, and whether it still does.

const FIRST_RETRY_MS = 1_000;
const LAST_RETRY_MS = 15_000;
/** A sample comes every five seconds; without three of them what is shown is old. */
const STALE_MS = 15_000;

/**
 * Listens until the page is left. `told(kind, data)` is called for each event, `state(live)` when the connection is lost or
 * is back.
 */
export function listen(told, state) {
  let source;
  let retry = FIRST_RETRY_MS;
  let heard = Date.now();
  let live = null;

  const become = (now) => {
    if (live !== now) state(live = now);
  };

  const open = () => {
    source = new EventSource('/admin/v1/events?samples=true');
    const hear = (event) => {
      heard = Date.now();
      retry = FIRST_RETRY_MS;
      become(true);
      let data = null;
      try { data = JSON.parse(event.data); } catch { /* An event without data. */ }
      told(event.type, data);
    };
    for (const kind of KINDS) source.addEventListener(kind, hear);
    source.onerror = () => {
      // A browser tries again by itself only after some failures; so this page always does.
      source.close();
      become(false);
      setTimeout(open, retry);
      retry = Math.min(2 * retry, LAST_RETRY_MS);
    };
  };

  open();
  setInterval(() => {
    if (Date.now() - heard > STALE_MS) become(false);
  }, 1_000);
}

/** Events of the stream: samples, and what happens to migrations. */
const KINDS = [
  'sample', 'lagged',
  // Orders of people.
  'promote', 'set-weight', 'mirror-traffic', 'pause', 'freeze', 'resume', 'rollback', 'abort', 'retry', 'approve', 'reject',
  'switch-traffic', 'reverse-traffic', 'complete', 'drill', 'expire', 'ignore', 'unignore',
  // What cutover does by itself.
  'killed', 'failed', 'precaution', 'going-back', 'recovered', 'drilled', 'changed', 'silent', 'heard', 'expired', 'extended',
  'due',
];
