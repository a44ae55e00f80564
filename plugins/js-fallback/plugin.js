// What becomes of a failed attempt, in JavaScript: reads are answered by the old system while there is time for
// it, writes get a clear status, and the rest is passed on.
//
// Configuration: {"min-left-ms": 200, "status": 503}. Strings of the interface are JavaScript strings, lists of
// bytes are Uint8Array, enums are strings, flags are objects of booleans.

const OLD = 0;

let minLeftMs = 200;
let status = 503;

export const lifecycle = {
  configure(environment) {
    const config = JSON.parse(environment.config);
    for (const key of Object.keys(config)) {
      if (key !== 'min-left-ms' && key !== 'status') {
        // What is thrown as a string is the error of `result<manifest, string>`.
        throw `unknown key \`${key}\`: there are min-left-ms and status`;
      }
    }
    minLeftMs = config['min-left-ms'] ?? minLeftMs;
    status = config.status ?? status;
    return { reads: [], writes: [], reasons: [] };
  },
};

export const fallback = {
  onFailure(view, failure) {
    const { idempotent, replayable, responseStarted } = failure.facts;
    // While the breaker is open old serves, unless it is told otherwise.
    if (failure.cause === 'circuit-open') return { tag: 'propagate' };
    if (responseStarted || failure.backend === OLD) return { tag: 'propagate' };
    if (idempotent && replayable && failure.leftMs >= minLeftMs) return { tag: 'retry', val: OLD };
    if (failure.cause === 'status') return { tag: 'propagate' };
    return { tag: 'respond', val: status };
  },
};
